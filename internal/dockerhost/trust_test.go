package dockerhost

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

func authorized(s ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey())))
}

func TestTrust_serverThatIsNotKnown(t *testing.T) {
	server, _ := behindSSH(t)
	cfg := server.hostConfig()
	cfg.SSH.HostKey, cfg.SSH.KnownHosts = "", "elsewhere "+authorized(server.hostKey)
	_, err := newHost(t, cfg).Containers(testContext(t))
	address := server.listener.Addr().String()
	wantText(t, err,
		"the key of "+address+" is not known, its fingerprint is "+ssh.FingerprintSHA256(server.hostKey.PublicKey()),
		knownhosts.Line([]string{address}, server.hostKey.PublicKey()),
		`set host_key to "`+authorized(server.hostKey)+`"`, "ssh-keygen -lf")
	if server.logins.Load() != 0 {
		t.Error("it logged in all the same")
	}
}

func TestTrust_serverWhoseKeyChanged(t *testing.T) {
	server, _ := behindSSH(t)
	old, _ := testKey(t)
	address := server.listener.Addr().String()
	both := []string{ssh.FingerprintSHA256(old.PublicKey()), ssh.FingerprintSHA256(server.hostKey.PublicKey())}
	cfg := server.hostConfig()
	cfg.SSH.HostKey = authorized(old)
	_, err := newHost(t, cfg).Containers(testContext(t))
	wantText(t, err, append(both, "has changed", "someone may be listening in")...)
	cfg.SSH.HostKey, cfg.SSH.KnownHosts = "", knownhosts.Line([]string{address}, old.PublicKey())
	_, err = newHost(t, cfg).Containers(testContext(t))
	wantText(t, err, append(both, "has changed")...)
	cfg.SSH.KnownHosts = "@revoked " + knownhosts.Line([]string{address}, server.hostKey.PublicKey())
	_, err = newHost(t, cfg).Containers(testContext(t))
	wantText(t, err, "is revoked", both[1])
	if server.logins.Load() != 0 {
		t.Error("it logged in all the same")
	}
}

// A server with several keys must show the one that is known.
func TestTrust_negotiatesTheKeyThatIsKnown(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	var extra []ssh.Signer
	for _, key := range []any{rsaKey, ecKey} {
		signer, err := ssh.NewSignerFromKey(key)
		must(t, err)
		extra = append(extra, signer)
	}
	server := newSSHServer(t, extra...)
	daemon := newFakeDaemon(t)
	daemon.Start()
	server.socket = func(string) (net.Conn, error) { return daemon.dial() }
	address := server.listener.Addr().String()
	file := filepath.Join(t.TempDir(), "known_hosts")
	for _, signer := range append(extra, server.hostKey) {
		line := knownhosts.Line([]string{address}, signer.PublicKey())
		hashed := xknownhosts.HashHostname(xknownhosts.Normalize(address)) + " " + authorized(signer)
		must(t, os.WriteFile(file, []byte("# comment\n"+hashed+"\n"), 0o600))
		for name, settings := range map[string]SSHConfig{
			"host_key": {HostKey: authorized(signer)}, "host_key as in known_hosts": {HostKey: line},
			"known_hosts": {KnownHosts: line}, "known_hosts_path": {KnownHostsPath: file},
		} {
			settings.PrivateKey = server.clientKey
			h := newHost(t, Config{Name: "h1", DockerHost: server.url(), SSH: &settings})
			if err := h.Connect(testContext(t)); err != nil {
				t.Errorf("%s with %s: %v", name, signer.PublicKey().Type(), err)
			}
		}
	}
}

func TestTrust_readsTheUsersKnownHosts(t *testing.T) {
	server, _ := behindSSH(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	cfg := server.hostConfig()
	cfg.SSH.HostKey = ""
	_, err := newHost(t, cfg).Containers(testContext(t))
	wantText(t, err, "is not known")
	must(t, os.Mkdir(filepath.Join(home, ".ssh"), 0o700))
	line := knownhosts.Line([]string{server.listener.Addr().String()}, server.hostKey.PublicKey())
	must(t, os.WriteFile(filepath.Join(home, ".ssh", "known_hosts"), []byte("h future-key-type AAAA\n"+line+"\n"), 0o600))
	must(t, newHost(t, cfg).Connect(testContext(t)))
}

func TestIdentity_agentAndDefaultKeys(t *testing.T) {
	server, _ := behindSSH(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("SSH_AUTH_SOCK", "")
	cfg := server.hostConfig()
	key := cfg.SSH.PrivateKey
	cfg.SSH.PrivateKey = ""
	_, err := newHost(t, cfg).Containers(testContext(t))
	wantText(t, err, "there is no key to log in with", "private_key_path")

	must(t, os.Mkdir(filepath.Join(home, ".ssh"), 0o700))
	must(t, os.WriteFile(filepath.Join(home, ".ssh", "id_ed25519"), []byte(key), 0o600))
	must(t, newHost(t, cfg).Connect(testContext(t)))
	cfg.SSH.PrivateKeyPath = "~/.ssh/id_ed25519"
	must(t, newHost(t, cfg).Connect(testContext(t)))

	cfg.SSH.PrivateKeyPath = filepath.Join(home, "empty")
	must(t, os.WriteFile(cfg.SSH.PrivateKeyPath, nil, 0o600))
	_, err = New(cfg)
	wantText(t, err, "ssh.private_key_path", "is not a private key")

	raw, err := ssh.ParseRawPrivateKey([]byte(key))
	must(t, err)
	keyring := agent.NewKeyring()
	must(t, keyring.Add(agent.AddedKey{PrivateKey: raw}))
	socket := filepath.Join(t.TempDir(), "agent.sock")
	l, err := net.Listen("unix", socket)
	must(t, err)
	defer func() { _ = l.Close() }()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keyring, conn); _ = conn.Close() }()
		}
	}()
	must(t, os.RemoveAll(filepath.Join(home, ".ssh")))
	t.Setenv("SSH_AUTH_SOCK", socket)
	cfg.SSH.PrivateKeyPath = ""
	must(t, newHost(t, cfg).Connect(testContext(t)))
	never := false
	cfg.SSH.Agent = &never
	_, err = newHost(t, cfg).Containers(testContext(t))
	wantText(t, err, "there is no key to log in with")
}
