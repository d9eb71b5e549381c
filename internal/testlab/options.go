package testlab

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

const (
	// root holds the state of every lab of this machine. It is short, because unix socket paths end at 107 bytes, and
	// not below /run, because disks do not belong into memory.
	root = "/var/lib/anka-lab"

	// MaxHosts is the largest lab: what the benchmark uses.
	MaxHosts = 9

	// firstHostOctet is the last byte of the first host's address: h1 is .11 and so on.
	firstHostOctet = 11
)

// Ports of every host.
const (
	SSHPort           = 22   // a normal server
	SSHPortNoSocket   = 2222 // forbids stream-local forwarding, so that dial-stdio is the only way to the Docker socket
	SSHPortNoForward  = 2223 // forbids every kind of forwarding
	TCPPort           = 2375 // the Docker daemon without TLS
	TLSPort           = 2376 // the Docker daemon with TLS and client certificates
	defaultDiskMiB    = 4096
	defaultHostNumber = 3
)

// Options describe the lab to make. The zero value is a lab "lab" of three hosts that ends with the calling process.
type Options struct {
	// Name tells labs of one machine apart; lower-case letters, digits and dashes, at most 20 bytes. Default "lab".
	Name string
	// Hosts is the number of hosts, named h1, h2 and so on; 1 to MaxHosts, default 3.
	Hosts int
	// Subnet is the lab's IPv4 /24, e.g. "10.77.0.0/24"; by default the first free one of 10.77.0.0/16.
	Subnet string
	// Images are the images to load into every daemon; nil means images.Default, an empty slice means none.
	Images []string
	// DiskMiB is the size of each host's disk in MiB, default 4096. The file is sparse.
	DiskMiB int
	// Detached leaves the lab running when the calling process ends; Down ends it then.
	Detached bool
	// Reuse returns the running detached lab of that name if there is one.
	Reuse bool
	// Log receives progress, one line per call; nil discards it.
	Log func(format string, args ...any)
}

var labName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$`)

// withDefaults returns o with every default filled in, or an error that names the option at fault.
func (o Options) withDefaults() (Options, error) {
	if o.Name == "" {
		o.Name = "lab"
	}
	if !labName.MatchString(o.Name) {
		return o, fmt.Errorf("lab name %q: want 1 to 20 lower-case letters, digits or inner dashes", o.Name)
	}
	if o.Hosts == 0 {
		o.Hosts = defaultHostNumber
	}
	if o.Hosts < 1 || o.Hosts > MaxHosts {
		return o, fmt.Errorf("%d hosts: want 1 to %d", o.Hosts, MaxHosts)
	}
	if o.Subnet != "" {
		prefix, err := netip.ParsePrefix(o.Subnet)
		if err != nil || !prefix.Addr().Is4() || prefix.Bits() != 24 || prefix != prefix.Masked() {
			return o, fmt.Errorf("subnet %q: want an IPv4 /24 such as 10.77.0.0/24", o.Subnet)
		}
	}
	if o.Images == nil {
		o.Images = images.Default()
	}
	if o.DiskMiB == 0 {
		o.DiskMiB = defaultDiskMiB
	}
	if o.DiskMiB < 256 {
		return o, fmt.Errorf("disk of %d MiB: want at least 256", o.DiskMiB)
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	return o, nil
}

// stateDir is where everything of a lab lies.
func stateDir(name string) string { return filepath.Join(root, name) }

// cgroupOf is the parent of all container control groups of a host, below every hierarchy's root.
func cgroupOf(lab, host string) string { return "/anka-lab-" + lab + "-" + host }

// linkOf is the machine's interface into the lab's switch. Interface names end at 15 bytes, hence the hash.
func linkOf(lab string) string {
	sum := sha256.Sum256([]byte(lab))
	return "ankalab" + hex.EncodeToString(sum[:4])
}

// addressAt returns the address with the given last byte in a /24.
func addressAt(subnet netip.Prefix, last int) netip.Addr {
	bytes := subnet.Masked().Addr().As4()
	bytes[3] = byte(last)
	return netip.AddrFrom4(bytes)
}
