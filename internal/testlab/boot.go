package testlab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// makeDisk creates the host's disk: a sparse file with ext4 and no journal, because a host that loses its power here
// loses its processes, not the kernel's page cache.
func (h *Host) makeDisk(ctx context.Context, mebibytes int) error {
	if err := os.MkdirAll(filepath.Join(h.dir(), "run", "lab"), 0o755); err != nil {
		return err
	}
	path := filepath.Join(h.dir(), "disk.img")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Truncate(int64(mebibytes)<<20), file.Close()); err != nil {
		return fmt.Errorf("host %s: make disk of %d MiB: %w", h.Name, mebibytes, err)
	}
	_, err = run(ctx, "mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", path)
	return err
}

// boot powers the host on: first process, network, daemons. The caller holds h.mu.
func (h *Host) boot(ctx context.Context) error {
	if err := h.clearRun(); err != nil {
		return fmt.Errorf("host %s: clear /run: %w", h.Name, err)
	}
	// Written at every boot: the lab may have been made by an earlier version of this program.
	script := filepath.Join(h.dir(), "host.sh")
	if err := writeFile(script, []byte(hostScript), 0o755); err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	started, err := startFirst(ctx, script, hostNamespaces, h.dir(), h.Name)
	if err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	h.setFirst(started)
	if err := h.lab.save(); err != nil {
		return err
	}
	if err := h.plugIn(ctx, started.PID); err != nil {
		return fmt.Errorf("host %s: plug into the switch: %w", h.Name, err)
	}
	if err := h.startSSH(ctx); err != nil {
		return err
	}
	if err := h.startDaemon(ctx); err != nil {
		return err
	}
	return h.startForwarder(ctx)
}

// clearRun empties the host's /run, as a boot does, and keeps the keys and certificates that the lab put there.
func (h *Host) clearRun() error {
	dir := filepath.Join(h.dir(), "run")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == "lab" || strings.HasSuffix(entry.Name(), ".log") {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// plugIn connects the host to the switch and gives it its address. Nothing is routed beyond the lab.
func (h *Host) plugIn(ctx context.Context, first int) error {
	pid := strconv.Itoa(first)
	// The port of a host that was powered off may linger while the kernel tears its namespace down.
	_, _ = run(ctx, "nsenter", "--target", strconv.Itoa(h.lab.sw.PID), "--net", "ip", "link", "del", h.Name)
	// A network card keeps its hardware address; a new one after each boot would leave stale entries in every ARP cache.
	ip := net.ParseIP(h.Address).To4()
	batch := fmt.Sprintf("link add %[1]s type veth peer name eth0 address 02:00:%02[3]x:%02[4]x:%02[5]x:%02[6]x netns %[2]s\nlink set %[1]s master lab up\n",
		h.Name, pid, ip[0], ip[1], ip[2], ip[3])
	if _, err := runInput(ctx, batch, "nsenter", "--target", strconv.Itoa(h.lab.sw.PID), "--net", "ip", "-batch", "-"); err != nil {
		return err
	}
	batch = fmt.Sprintf("addr add %s/24 dev eth0\nlink set eth0 up\n", h.Address)
	if _, err := runInput(ctx, batch, "nsenter", "--target", pid, "--net", "ip", "-batch", "-"); err != nil {
		return err
	}
	return h.awaitCarrier(ctx)
}

// awaitCarrier waits until the host's interface has noticed its cable, which takes the kernel up to a second; packets
// sent before are dropped.
func (h *Host) awaitCarrier(ctx context.Context) error {
	pid, err := h.pid()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return poll(ctx, "the network of host "+h.Name, func() (bool, error) {
		said, err := run(ctx, "nsenter", "--target", strconv.Itoa(pid), "--net", "ip", "-o", "link", "show", "eth0")
		return strings.Contains(said, " state UP "), err
	})
}

// startSSH starts the OpenSSH server and waits until it greets.
func (h *Host) startSSH(ctx context.Context) error {
	const start = "setsid /usr/sbin/sshd -D -e -f /run/lab/sshd_config >>/run/sshd.log 2>&1 </dev/null &"
	if _, err := h.Run(ctx, start); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err := poll(ctx, "OpenSSH to greet on "+h.SSHAddr(), func() (bool, error) { return greets(ctx, h.SSHAddr()) })
	return h.withLog(err, "sshd.log")
}

// greets reports whether a server at address sends something by itself, as OpenSSH does.
func greets(ctx context.Context, address string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	_ = conn.SetReadDeadline(deadline)
	_, err = conn.Read(make([]byte, 4))
	return err == nil, err
}

// startDaemon starts dockerd, which starts a containerd of its own, and waits until it answers.
func (h *Host) startDaemon(ctx context.Context) error {
	start := "setsid dockerd -H unix:///var/run/docker.sock -H tcp://0.0.0.0:" + strconv.Itoa(TLSPort) +
		" --tlsverify --tlscacert /run/lab/ca.pem --tlscert /run/lab/cert.pem --tlskey /run/lab/key.pem" +
		" --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent " + cgroupOf(h.lab.Name, h.Name) +
		" >>/run/dockerd.log 2>&1 </dev/null &"
	if _, err := h.Run(ctx, start); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	err := poll(ctx, "dockerd to answer on "+h.DockerSocket(), func() (bool, error) {
		if running, err := h.processes("dockerd"); err != nil || len(running) == 0 {
			return false, errors.Join(errors.New("dockerd is not running"), err)
		}
		return pings(ctx, h.DockerSocket())
	})
	return h.withLog(err, "dockerd.log")
}

// pings asks the daemon behind a unix socket for /_ping.
func pings(ctx context.Context, socket string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/_ping", nil)
	if err != nil {
		return false, err
	}
	response, err := client.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK, nil
}

// withLog adds the end of one of the host's logs to an error.
func (h *Host) withLog(err error, name string) error {
	if err == nil {
		return nil
	}
	raw, _ := os.ReadFile(filepath.Join(h.dir(), "run", name))
	if len(raw) > 2000 {
		raw = raw[len(raw)-2000:]
	}
	return fmt.Errorf("host %s: %w; the end of its %s: %s", h.Name, err, name, strings.TrimSpace(string(raw)))
}

// signal sends a signal to processes of the host that were just listed.
func signal(pids []int, what syscall.Signal) error {
	var failed error
	for _, pid := range pids {
		if err := syscall.Kill(pid, what); err != nil && !errors.Is(err, syscall.ESRCH) {
			failed = errors.Join(failed, fmt.Errorf("signal %d to process %d: %w", what, pid, err))
		}
	}
	return failed
}
