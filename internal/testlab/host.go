package testlab

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// hostNamespaces are the namespaces that every host has of its own; a PID namespace comes with every first process.
const hostNamespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC

// Host is one host of a lab. Its methods may be called from several goroutines; the faults wait for each other.
type Host struct {
	// Name is h1, h2 and so on; Address is its IPv4 address, reachable from this machine and from the other hosts.
	Name, Address string

	lab *Lab
	// mu lets one act on the host's power, daemons or network run at a time.
	mu sync.Mutex
	// first is the host's first process, nil while it is powered off; guarded by lab.mu.
	first *first
}

func (h *Host) dir() string         { return filepath.Join(stateDir(h.lab.Name), h.Name) }
func (h *Host) etc(f string) string { return filepath.Join(h.dir(), "run", "lab", f) }

// DockerSocket is the path of the host's Docker socket as this machine sees it; on the host it is /var/run/docker.sock.
func (h *Host) DockerSocket() string { return filepath.Join(h.dir(), "run", "docker.sock") }

// UnixURL is DockerSocket as a docker_host.
func (h *Host) UnixURL() string { return "unix://" + h.DockerSocket() }

// TCPAddr is address:port of the Docker daemon without TLS.
func (h *Host) TCPAddr() string { return h.addr(TCPPort) }

// TLSAddr is address:port of the Docker daemon with TLS; it asks for the lab's client certificate.
func (h *Host) TLSAddr() string { return h.addr(TLSPort) }

// SSHAddr is address:port of the host's normal OpenSSH server.
func (h *Host) SSHAddr() string { return h.addr(SSHPort) }

// SSHURL is the docker_host for one of the ports SSHPort, SSHPortNoSocket and SSHPortNoForward.
func (h *Host) SSHURL(port int) string { return "ssh://root@" + h.addr(port) }

func (h *Host) addr(port int) string { return net.JoinHostPort(h.Address, strconv.Itoa(port)) }

// HostKey is the public key of the host's OpenSSH server, as "ssh-ed25519 AAAA…".
func (h *Host) HostKey() (string, error) {
	raw, err := os.ReadFile(h.etc("host_key.pub"))
	if err != nil {
		return "", fmt.Errorf("host key of %s: %w", h.Name, err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// Running reports whether the host is powered on.
func (h *Host) Running() bool {
	_, err := h.pid()
	return err == nil
}

// Run executes a shell command on the host as root and returns its standard output.
func (h *Host) Run(ctx context.Context, script string) (string, error) {
	pid, err := h.pid()
	if err != nil {
		return "", err
	}
	// --root: in a mount namespace made below a chroot, entering alone would lead to the machine's files, not the host's.
	output, err := run(ctx, "nsenter", "--target", strconv.Itoa(pid), "--all", "--root", "--wd", "sh", "-c", script)
	if err != nil {
		return output, fmt.Errorf("host %s: %w", h.Name, err)
	}
	return output, nil
}

// Docker runs the docker command of this machine against the host's daemon and returns its standard output.
func (h *Host) Docker(ctx context.Context, args ...string) (string, error) {
	output, err := run(ctx, "docker", append([]string{"-H", h.UnixURL()}, args...)...)
	if err != nil {
		return output, fmt.Errorf("host %s: %w", h.Name, err)
	}
	return output, nil
}

// pid returns the host's first process, or an error when the host is off.
func (h *Host) pid() (int, error) {
	current := h.current()
	if current == nil || !current.Alive() {
		return 0, fmt.Errorf("host %s of lab %s is powered off: call PowerOn first", h.Name, h.lab.Name)
	}
	return current.PID, nil
}

func (h *Host) current() *first {
	h.lab.mu.Lock()
	defer h.lab.mu.Unlock()
	return h.first
}

func (h *Host) setFirst(f *first) {
	h.lab.mu.Lock()
	defer h.lab.mu.Unlock()
	h.first = f
}

// processes returns the processes on the host (not those in its containers) whose command name is comm.
func (h *Host) processes(comm string) ([]int, error) {
	pid, err := h.pid()
	if err != nil {
		return nil, err
	}
	space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	if err != nil {
		return nil, fmt.Errorf("host %s: %w", h.Name, err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, entry := range entries {
		candidate, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		// Processes come and go while the list is read: whatever cannot be read is gone.
		if other, err := os.Readlink(filepath.Join("/proc", entry.Name(), "ns", "pid")); err != nil || other != space {
			continue
		}
		name, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "comm"))
		if err == nil && strings.TrimSpace(string(name)) == comm {
			found = append(found, candidate)
		}
	}
	return found, nil
}
