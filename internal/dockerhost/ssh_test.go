package dockerhost

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// behindSSH gives an ssh server with a daemon whose socket it forwards.
func behindSSH(t *testing.T) (*sshServer, *fakeDaemon) {
	t.Helper()
	daemon := newFakeDaemon(t)
	daemon.Start()
	server := newSSHServer(t)
	server.socket = func(path string) (net.Conn, error) {
		if path != DefaultSocket {
			return nil, errors.New("no such file")
		}
		return daemon.dial()
	}
	return server, daemon
}

func TestSSH_oneConnectionCarriesEverything(t *testing.T) {
	server, daemon := behindSSH(t)
	h := newHost(t, server.hostConfig())
	ctx := testContext(t)
	echo := echoServer(t)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := h.Containers(ctx); err != nil {
				t.Error(err)
			}
			conn, err := h.DialService(ctx, "tcp", echo)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = io.WriteString(conn, "ping")
			buf := make([]byte, 4)
			if _, err := io.ReadFull(conn, buf); err != nil || string(buf) != "ping" {
				t.Errorf("the tunnel gave %q, %v", buf, err)
			}
		})
	}
	wg.Wait()
	if got := server.logins.Load(); got != 1 {
		t.Errorf("there were %d ssh connections, want 1", got)
	}
	pings := 0
	for _, r := range daemon.seen() {
		if r == "HEAD /_ping" {
			pings++
		}
	}
	if pings != 1 || len(daemon.seen()) != 11 {
		t.Errorf("the daemon saw %v, want one ping and ten lists", daemon.seen())
	}
}

func echoServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

func TestSSH_dialsAgainAfterTheConnectionBroke(t *testing.T) {
	server, _ := behindSSH(t)
	h := newHost(t, server.hostConfig())
	ctx := testContext(t)
	for want := int64(1); want <= 3; want++ {
		if _, err := h.Containers(ctx); err != nil {
			t.Fatal(err)
		}
		if got := server.logins.Load(); got != want {
			t.Fatalf("there were %d logins, want %d", got, want)
		}
		server.hangUp()
		awaitDrop(t, h)
	}
}

// awaitDrop waits until the host has noticed that its connection broke.
func awaitDrop(t *testing.T, h *Host) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		h.link.conn.mu.Lock()
		ready := h.link.conn.ready
		h.link.conn.mu.Unlock()
		if !ready {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the broken connection was not noticed")
		}
	}
}

func TestSSH_keepaliveNoticesASilentPeer(t *testing.T) {
	server, _ := behindSSH(t)
	h := newHost(t, server.hostConfig())
	h.link.interval, h.link.timeout = 10*time.Millisecond, 50*time.Millisecond
	if err := h.Connect(testContext(t)); err != nil {
		t.Fatal(err)
	}
	server.mute.Store(true)
	awaitDrop(t, h)
}

func TestSSH_closesAConnectionThatCarriesNothing(t *testing.T) {
	server, _ := behindSSH(t)
	h := newHost(t, server.hostConfig())
	h.link.interval, h.link.idle = 10*time.Millisecond, 100*time.Millisecond
	ctx := testContext(t)
	conn, err := h.DialService(ctx, "tcp", echoServer(t))
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(300*time.Millisecond, func() { _ = conn.Close() })
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the echo spoke first")
	}
	if server.logins.Load() != 1 {
		t.Errorf("%d logins", server.logins.Load())
	}
	awaitDrop(t, h)
	if _, err := h.Containers(ctx); err != nil || server.logins.Load() != 2 {
		t.Errorf("after the connection was closed: %v, %d logins", err, server.logins.Load())
	}
}

func TestSSH_fallsBackToDialStdio(t *testing.T) {
	server, daemon := behindSSH(t)
	server.socket = nil
	server.run = shell("usable\ndocker", daemon.dial)
	h := newHost(t, server.hostConfig())
	ctx := testContext(t)
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if _, err := h.Containers(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if !h.link.stdio.Load() {
		t.Error("the way that works was not remembered")
	}
	if got := server.commands.Load(); got > 30 {
		t.Errorf("%d commands were run for 30 requests", got)
	}
}

func TestSSH_explainsWhyTheSocketCannotBeOpened(t *testing.T) {
	noDaemon := func() (net.Conn, error) { return nil, errors.New("refused") }
	cases := map[string]struct {
		found string
		want  []string
	}{
		"missing":    {"missing\ndocker", []string{"no such socket", "Docker is installed and running", "/var/run/docker.sock"}},
		"denied":     {"denied\ndocker", []string{`user "ops" has no permission`, "group docker"}},
		"no socket":  {"other", []string{"is not a socket"}},
		"no command": {"usable", []string{"AllowStreamLocalForwarding", "no docker command"}},
		"not running": {"usable\ndocker", []string{
			"docker system dial-stdio", "check that Docker is running", "Cannot connect to the Docker daemon",
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server := newSSHServer(t)
			server.run = shell(c.found, noDaemon)
			h := newHost(t, server.hostConfig())
			_, err := h.Containers(testContext(t))
			wantText(t, err, append(c.want, `host "h1"`, server.url())...)
			if !IsUnreachable(err) {
				t.Error("the host does not count as unreachable")
			}
		})
	}
	t.Run("no command is run", func(t *testing.T) {
		server := newSSHServer(t)
		_, err := newHost(t, server.hostConfig()).Containers(testContext(t))
		wantText(t, err, "refused to forward the socket and runs no command either", "AllowStreamLocalForwarding")
	})
}

func TestSSH_goesThroughAJumpHost(t *testing.T) {
	server, _ := behindSSH(t)
	jump := newSSHServer(t)
	cfg := server.hostConfig()
	cfg.SSH.Jump = &JumpConfig{Address: "hop@" + jump.listener.Addr().String(), SSH: SSHConfig{
		PrivateKey: jump.clientKey, HostKey: string(ssh.MarshalAuthorizedKey(jump.hostKey.PublicKey())),
	}}
	if _, err := newHost(t, cfg).Containers(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if jump.opened.Load() != 1 || server.logins.Load() != 1 {
		t.Errorf("the jump host opened %d streams, the host saw %d logins", jump.opened.Load(), server.logins.Load())
	}

	cfg.SSH.Jump.SSH.HostKey = cfg.SSH.HostKey
	_, err := newHost(t, cfg).Containers(testContext(t))
	wantText(t, err, "log in to hop@"+jump.listener.Addr().String(), "has changed")

	cfg.SSH.Jump.SSH.HostKey = ""
	cfg.SSH.Jump.SSH.KnownHosts = "# nobody"
	cfg.SSH.HostKey, cfg.SSH.InsecureIgnoreHostKey = "", true
	_, err = newHost(t, cfg).Containers(testContext(t))
	wantText(t, err, "log in to hop@", "is not known")
}

func TestSSH_jumpHostInheritsNoTrust(t *testing.T) {
	never := false
	behind := SSHConfig{
		User: "ops", PrivateKey: "key", Agent: &never, KnownHosts: "known", HostKey: "pinned", InsecureIgnoreHostKey: true,
		Jump: &JumpConfig{Address: "jump"},
	}
	got := inherit(SSHConfig{}, behind)
	want := SSHConfig{User: "ops", PrivateKey: "key", Agent: &never, KnownHosts: "known"}
	if got != want {
		t.Errorf("got %+v", got)
	}
	// Known hosts beside it would contradict the permission to ignore them.
	if got := inherit(SSHConfig{InsecureIgnoreHostKey: true}, behind); got.KnownHosts != "" {
		t.Errorf("got %+v", got)
	}
	own := SSHConfig{User: "hop", PrivateKeyPath: "path", KnownHostsPath: "path", HostKey: "own"}
	if got := inherit(own, behind); got != own {
		t.Errorf("got %+v", got)
	}
}

func TestSSH_serviceThatCannotBeReached(t *testing.T) {
	server, _ := behindSSH(t)
	h := newHost(t, server.hostConfig())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	_, err = h.DialService(testContext(t), "tcp", l.Addr().String())
	wantText(t, err, `host "h1": unable to connect to `+l.Addr().String()+" through the ssh connection")
	if IsUnreachable(err) {
		t.Error("a service that does not listen makes the host unreachable")
	}
	server.forwardTCP = false
	_, err = h.DialService(testContext(t), "tcp", l.Addr().String())
	wantText(t, err, "AllowTcpForwarding", `service_access to "direct"`)
}

func TestSSH_refusedLogin(t *testing.T) {
	server, _ := behindSSH(t)
	cfg := server.hostConfig()
	other, pem := testKey(t)
	cfg.SSH.PrivateKey = pem
	_, err := newHost(t, cfg).Containers(testContext(t))
	wantText(t, err, `the server refused user "ops"`, "the configured private key", ssh.FingerprintSHA256(other.PublicKey()), "authorized keys")
	if strings.Contains(err.Error(), "PRIVATE KEY") {
		t.Error("the error shows the key")
	}
}

func TestSSH_serverThatSaysNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	cfg := newSSHServer(t).hostConfig()
	cfg.DockerHost = "ssh://ops@" + l.Addr().String()
	cfg.ConnectTimeout = 200 * time.Millisecond
	h := newHost(t, cfg)
	start := time.Now()
	for range 5 {
		_, err = h.Containers(testContext(t))
		wantText(t, err, "did not complete the handshake within connect_timeout")
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("five calls took %s: the failure was not remembered", took)
	}
}
