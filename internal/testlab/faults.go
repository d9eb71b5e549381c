package testlab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// KillDaemon kills dockerd and its containerd with SIGKILL, as a crash does: containers go on running. StartDaemon
// brings it back.
func (h *Host) KillDaemon(ctx context.Context) error {
	return h.endDaemon(ctx, syscall.SIGKILL)
}

// StopDaemon stops dockerd as the service manager does: it stops the containers first. It takes as long as the slowest
// container, at most 15 s.
func (h *Host) StopDaemon(ctx context.Context) error {
	return h.endDaemon(ctx, syscall.SIGTERM)
}

func (h *Host) endDaemon(ctx context.Context, how syscall.Signal) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	running, err := h.processes("dockerd")
	if err != nil {
		return err
	}
	if err := signal(running, how); err != nil {
		return fmt.Errorf("host %s: end dockerd: %w", h.Name, err)
	}
	return poll(ctx, "dockerd of "+h.Name+" to end", func() (bool, error) {
		daemons, err := h.processes("dockerd")
		if err != nil {
			return false, err
		}
		runtimes, err := h.processes("containerd")
		return err == nil && len(daemons)+len(runtimes) == 0, err
	})
}

// StartDaemon starts dockerd after KillDaemon or StopDaemon and returns when it answers. Nil when it runs.
func (h *Host) StartDaemon(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	running, err := h.processes("dockerd")
	if err != nil || len(running) > 0 {
		return err
	}
	return h.startDaemon(ctx)
}

// Freeze stops dockerd where it stands (SIGSTOP): connections are accepted by the kernel and nothing ever answers.
func (h *Host) Freeze() error { return h.signalDaemon(syscall.SIGSTOP) }

// Thaw undoes Freeze.
func (h *Host) Thaw() error { return h.signalDaemon(syscall.SIGCONT) }

func (h *Host) signalDaemon(what syscall.Signal) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	running, err := h.processes("dockerd")
	if err == nil && len(running) == 0 {
		err = errors.New("dockerd is not running")
	}
	if err == nil {
		err = signal(running, what)
	}
	if err != nil {
		return fmt.Errorf("host %s: signal %d to dockerd: %w", h.Name, what, err)
	}
	return nil
}

// StopSSH ends the OpenSSH server and every session on it. StartSSH brings it back.
func (h *Host) StopSSH(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return poll(ctx, "OpenSSH of "+h.Name+" to end", func() (bool, error) {
		running, err := h.processes("sshd")
		if err != nil || len(running) == 0 {
			return err == nil, err
		}
		return false, signal(running, syscall.SIGKILL)
	})
}

// StartSSH starts the OpenSSH server. Nil when it runs.
func (h *Host) StartSSH(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	running, err := h.processes("sshd")
	if err != nil || len(running) > 0 {
		return err
	}
	return h.startSSH(ctx)
}

// DropSSH breaks every open ssh connection; the server goes on and accepts new ones.
func (h *Host) DropSSH() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	running, err := h.processes("sshd")
	if err != nil {
		return err
	}
	server := map[int]bool{}
	for _, pid := range running {
		server[pid] = true
	}
	var sessions []int
	for _, pid := range running {
		if parent, err := parentOf(pid); err == nil && server[parent] {
			sessions = append(sessions, pid)
		}
	}
	return signal(sessions, syscall.SIGKILL)
}

func parentOf(pid int) (int, error) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(raw), "\nPPid:\t")
	line, _, _ := strings.Cut(after, "\n")
	return strconv.Atoi(line)
}

// CutOff unplugs the host's network cable: nothing reaches it and it reaches nothing, while all on it goes on.
func (h *Host) CutOff(ctx context.Context) error { return h.port(ctx, "down") }

// Restore plugs the cable in again and returns when packets pass.
func (h *Host) Restore(ctx context.Context) error {
	if err := h.port(ctx, "up"); err != nil {
		return err
	}
	return h.awaitCarrier(ctx)
}

func (h *Host) port(ctx context.Context, state string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := run(ctx, "nsenter", "--target", strconv.Itoa(h.lab.sw.PID), "--net", "ip", "link", "set", h.Name, state)
	if err != nil {
		return fmt.Errorf("host %s: set its switch port %s: %w", h.Name, state, err)
	}
	return nil
}

// Block drops all packets between this host, its containers among them, and one address: another host's, for a partition
// of two, or Lab.Gateway, to hide the host from this machine only. Established connections stall too.
func (h *Host) Block(ctx context.Context, address string) error {
	if net.ParseIP(address) == nil {
		return fmt.Errorf("host %s: block %q: want an IP address", h.Name, address)
	}
	// The raw table sees packets before Docker's address translation; a chain of its own keeps Docker's rules apart.
	_, err := h.Run(ctx, `set -e
if ! iptables -t raw -n -L ANKA-LAB >/dev/null 2>&1; then
	iptables -t raw -N ANKA-LAB
	iptables -t raw -I PREROUTING -j ANKA-LAB
	iptables -t raw -I OUTPUT -j ANKA-LAB
fi
iptables -t raw -A ANKA-LAB -s `+address+` -j DROP
iptables -t raw -A ANKA-LAB -d `+address+` -j DROP`)
	return err
}

// Unblock undoes every Block on this host.
func (h *Host) Unblock(ctx context.Context) error {
	_, err := h.Run(ctx, `if iptables -t raw -n -L ANKA-LAB >/dev/null 2>&1; then iptables -t raw -F ANKA-LAB; fi`)
	return err
}

// fillFile takes the space of a full disk; it lies on the disk, beside what containers write.
const fillFile = "/opt/.anka-lab-fill"

// FillDisk leaves not one free block on the host's disk, which holds /opt, /srv, /var/lib and Docker's data.
func (h *Host) FillDisk(ctx context.Context) error {
	// Reserved blocks are not written, so this is fast and takes no space of this machine's disk.
	_, err := h.Run(ctx, `free=$(df --output=avail -B1 /opt | tail -1)
fallocate -l "$((free * 98 / 100))" `+fillFile+` || exit 1
dd if=/dev/zero of=`+fillFile+` bs=64k oflag=append conv=notrunc 2>/dev/null
dd if=/dev/zero of=`+fillFile+` bs=512 oflag=append conv=notrunc 2>/dev/null
if echo probe >/opt/.anka-lab-probe; then rm -f /opt/.anka-lab-probe; echo "the disk still takes data" >&2; exit 1; fi 2>/dev/null
rm -f /opt/.anka-lab-probe`)
	return err
}

// FreeDisk undoes FillDisk.
func (h *Host) FreeDisk(ctx context.Context) error {
	_, err := h.Run(ctx, "rm -f "+fillFile)
	return err
}

// Heal undoes every fault on the host: it is powered on and plugged in, its servers run, nothing is blocked, full or
// frozen.
func (h *Host) Heal(ctx context.Context) error {
	if err := h.PowerOn(ctx); err != nil {
		return err
	}
	if frozen, err := h.processes("dockerd"); err == nil {
		if err := signal(frozen, syscall.SIGCONT); err != nil {
			return err
		}
	}
	for _, undo := range []func(context.Context) error{
		h.Restore, h.Unblock, h.FreeDisk, h.StartSSH, h.StartDaemon, h.ensureForwarder,
	} {
		if err := undo(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) ensureForwarder(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	dialer := net.Dialer{Timeout: 2 * time.Second}
	if conn, err := dialer.DialContext(ctx, "tcp", h.TCPAddr()); err == nil {
		return conn.Close()
	}
	return h.startForwarder(ctx)
}

// Clean removes every container, volume and network of the host's daemon and everything below /opt, /srv, /data and
// /var/lib/anka* but the lab's own; images stay.
func (h *Host) Clean(ctx context.Context) error {
	_, err := h.Run(ctx, `set -e
test -d /run/lab # on a host of a lab, never on this machine
containers=$(docker ps -aq)
if [ -n "$containers" ]; then docker rm -f -v $containers >/dev/null; fi
volumes=$(docker volume ls -q)
if [ -n "$volumes" ]; then docker volume rm -f $volumes >/dev/null; fi
docker network prune -f >/dev/null
mkdir -p /data
find /opt /srv /data -mindepth 1 -maxdepth 1 ! -name containerd -exec rm -rf {} +
# anka-lab is the machine's own, seen through the host's overlay.
find /var/lib -mindepth 1 -maxdepth 1 -name 'anka*' ! -name anka-lab -exec rm -rf {} +`)
	return err
}

// Heal undoes every fault on every host.
func (l *Lab) Heal(ctx context.Context) error {
	return l.each(func(host *Host) error { return host.Heal(ctx) })
}

// Reset makes the lab as it was after Up: Heal and then Clean on every host.
func (l *Lab) Reset(ctx context.Context) error {
	return l.each(func(host *Host) error {
		if err := host.Heal(ctx); err != nil {
			return err
		}
		return host.Clean(ctx)
	})
}
