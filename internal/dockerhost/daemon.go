package dockerhost

import (
	"net"
	"net/netip"
	"os"
	"strings"
)

// DaemonOf names the daemon that a docker_host stands for, in a form that is
// the same for two spellings of one endpoint. jump is the address of the jump
// host, since one private address can be several machines behind several of
// those. It is "" for a docker_host that is empty or malformed.
func DaemonOf(dockerHost, jump string, insecure bool) string {
	e, err := ParseDockerHost(dockerHost)
	if err != nil {
		return ""
	}
	e = e.withDefaults(!insecure)
	// Another user of the same socket is the same daemon.
	e.User, e.Host = "", strings.TrimSuffix(strings.ToLower(e.Host), ".")
	if jump == "" || e.Scheme != SchemeSSH {
		return e.String()
	}
	return e.String() + " through " + strings.ToLower(jump[strings.LastIndex(jump, "@")+1:])
}

// DefaultDaemon is the endpoint of a host without docker_host that the
// environment names; "" means the local socket.
func DefaultDaemon() string { return os.Getenv("DOCKER_HOST") }

// IsThisMachine reports whether address is this machine's: a loopback address,
// one of its interfaces', or its name. It asks no name server, so another name
// of this machine is not recognized.
func IsThisMachine(address string) bool {
	name := strings.ToLower(strings.TrimSuffix(address, "."))
	ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
	if err != nil {
		own, _ := os.Hostname()
		own = strings.ToLower(own)
		short, _, _ := strings.Cut(own, ".")
		return name == "localhost" || (name != "" && (name == own || name == short))
	}
	ip = ip.Unmap().WithZone("")
	if ip.IsLoopback() {
		return true
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, each := range interfaces {
		if prefix, err := netip.ParsePrefix(each.String()); err == nil && prefix.Addr().Unmap().WithZone("") == ip {
			return true
		}
	}
	return false
}
