package dockerhost

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Schemes of Docker endpoints.
const (
	SchemeSSH  = "ssh"
	SchemeTCP  = "tcp"
	SchemeUnix = "unix"
)

// DefaultSocket is where a Docker daemon listens unless told otherwise.
const DefaultSocket = "/var/run/docker.sock"

// Endpoint is a parsed docker_host.
type Endpoint struct {
	// Scheme is one of [SchemeSSH], [SchemeTCP] and [SchemeUnix].
	Scheme string
	// User of ssh, "" when not given.
	User string
	// Host is a name or an IP address without brackets, "" for unix.
	Host string
	// Port, 0 when not given.
	Port int
	// Socket is the path of the daemon's socket, for ssh and unix.
	Socket string
}

var (
	plainSocket = regexp.MustCompile(`^/[A-Za-z0-9._/@+-]+$`)
	plainUser   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._@+-]*\$?$`)
	plainHost   = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?$`)
)

// ParseDockerHost parses ssh://[user@]host[:port][/path/to/docker.sock],
// tcp://host[:port] and unix:///path. Its errors never repeat the input when
// that contains a password.
func ParseDockerHost(s string) (Endpoint, error) {
	u, err := url.Parse(s)
	if err != nil {
		// url.Error repeats its input, which may contain a password.
		var detail *url.Error
		if errors.As(err, &detail) {
			err = detail.Err
		}
		return Endpoint{}, fmt.Errorf("not a URL: %w", err)
	}
	e := Endpoint{Scheme: u.Scheme, Host: u.Hostname()}
	if u.User != nil {
		if _, set := u.User.Password(); set {
			return Endpoint{}, errors.New("a password in the URL is not supported; use an ssh key or agent")
		}
		e.User = u.User.Username()
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" {
		return Endpoint{}, fmt.Errorf("%q has parts other than scheme, user, host, port and path", s)
	}
	if err := e.parsePort(u.Host); err != nil {
		return Endpoint{}, err
	}
	switch u.Scheme {
	case SchemeSSH:
		err = e.parseSSH(u.Path)
	case SchemeTCP:
		err = e.parseTCP(u.Path)
	case SchemeUnix:
		if u.Host != "" || u.User != nil {
			return Endpoint{}, fmt.Errorf("%q must have three slashes: unix:///path/to/docker.sock", s)
		}
		e.Socket = u.Path
		err = checkSocket(e.Socket)
	default:
		err = fmt.Errorf("%q does not begin with ssh://, tcp:// or unix://", s)
	}
	if err != nil {
		return Endpoint{}, err
	}
	return e, nil
}

// SchemeOf is the scheme that a docker_host has or, when it is empty, gets from
// the environment; "" when it is malformed.
func SchemeOf(dockerHost string) string {
	if dockerHost == "" {
		dockerHost = fromEnvironment(Config{}, os.Getenv).DockerHost
	}
	e, err := ParseDockerHost(dockerHost)
	if err != nil {
		return ""
	}
	return e.Scheme
}

func (e *Endpoint) parsePort(hostport string) error {
	if strings.HasSuffix(hostport, ":") {
		return fmt.Errorf("%q has an empty port", hostport)
	}
	_, after, found := strings.Cut(strings.TrimPrefix(hostport, "["+e.Host+"]"), ":")
	if !found {
		return nil
	}
	port, err := strconv.Atoi(after)
	if err != nil || port < 1 || port > 65535 {
		return fmt.Errorf("port %q is not between 1 and 65535", after)
	}
	e.Port = port
	return nil
}

func (e *Endpoint) parseSSH(socket string) error {
	if err := checkHost(e.Host); err != nil {
		return err
	}
	if e.User != "" && !plainUser.MatchString(e.User) {
		return fmt.Errorf("user %q has characters that user names do not have", e.User)
	}
	e.Socket = DefaultSocket
	if socket != "" && socket != "/" {
		e.Socket = socket
	}
	return checkSocket(e.Socket)
}

func (e *Endpoint) parseTCP(urlPath string) error {
	if e.User != "" {
		return errors.New("tcp:// has no user; certificates are given in tls")
	}
	if urlPath != "" && urlPath != "/" {
		return fmt.Errorf("tcp:// has no path, but %q was given", urlPath)
	}
	return checkHost(e.Host)
}

func checkHost(host string) error {
	if host == "" {
		return errors.New("the URL has no host")
	}
	if net.ParseIP(host) == nil && !plainHost.MatchString(host) {
		return fmt.Errorf("%q is neither an IP address nor a host name", host)
	}
	return nil
}

// checkSocket keeps everything out that would need quoting on a command line.
func checkSocket(socket string) error {
	if !plainSocket.MatchString(socket) || path.Clean(socket) != socket {
		return fmt.Errorf("%q is not a plain absolute path of a socket", socket)
	}
	return nil
}

// withDefaults fills in the port: 22 for ssh, and for tcp Docker's 2376 with
// and 2375 without TLS.
func (e Endpoint) withDefaults(tls bool) Endpoint {
	if e.Port != 0 {
		return e
	}
	switch {
	case e.Scheme == SchemeSSH:
		e.Port = 22
	case e.Scheme == SchemeTCP && tls:
		e.Port = 2376
	case e.Scheme == SchemeTCP:
		e.Port = 2375
	}
	return e
}

// hostPort is the address to dial.
func (e Endpoint) hostPort() string { return net.JoinHostPort(e.Host, strconv.Itoa(e.Port)) }

// String is the URL form.
func (e Endpoint) String() string {
	if e.Scheme == SchemeUnix {
		return SchemeUnix + "://" + e.Socket
	}
	u := url.URL{Scheme: e.Scheme, Host: e.Host}
	if strings.Contains(e.Host, ":") {
		u.Host = "[" + e.Host + "]"
	}
	if e.Port != 0 {
		u.Host = e.hostPort()
	}
	if e.User != "" {
		u.User = url.User(e.User)
	}
	if e.Socket != DefaultSocket {
		u.Path = e.Socket
	}
	return u.String()
}
