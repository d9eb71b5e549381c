package dockerhost

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

const testlabImage = images.Etcd35

func TestAccHost_explainsWhatIsWrong(t *testing.T) {
	lab := testlab.LabForTest(t, 1)
	host := lab.Hosts[0]
	otherKey, otherPEM := testKey(t)
	hostKey, err := host.HostKey()
	must(t, err)
	parsed, err := ParseHostKey(hostKey)
	must(t, err)
	fingerprint := ssh.FingerprintSHA256(parsed)
	cases := map[string]struct {
		transport string
		change    func(*Config)
		want      []string
	}{
		"unknown host key": {"ssh", func(c *Config) { c.SSH.KnownHostsPath, c.SSH.KnownHosts = "", "# none" }, []string{
			"is not known, its fingerprint is " + fingerprint, "add the line", "set host_key to \"" + parsed.Type(),
		}},
		"changed host key": {"ssh", func(c *Config) {
			c.SSH.HostKey = string(ssh.MarshalAuthorizedKey(otherKey.PublicKey()))
		}, []string{"has changed: it shows " + fingerprint + ", and known is " + ssh.FingerprintSHA256(otherKey.PublicKey())}},
		"refused key": {"ssh", func(c *Config) { c.SSH.PrivateKeyPath, c.SSH.PrivateKey = "", otherPEM }, []string{
			`the server refused user "root"`, ssh.FingerprintSHA256(otherKey.PublicKey()),
		}},
		"missing socket": {"ssh", func(c *Config) { c.DockerHost += "/run/nothing.sock" }, []string{"no such socket on the host", "/run/nothing.sock"}},
		"user without Docker": {"ssh", func(c *Config) {
			c.DockerHost = "ssh://guest@" + host.SSHAddr()
		}, []string{`user "guest" has no permission to open it`, "group docker"}},
		"not a socket": {"ssh", func(c *Config) { c.DockerHost += "/etc/passwd" }, []string{"is not a socket"}},
		"no forwarding and no docker": {"ssh", func(c *Config) {
			c.DockerHost = host.SSHURL(testlab.SSHPortNoForward) + "/run/nothing.sock"
		}, []string{"no such socket"}},
		"wrong CA": {"tls", func(c *Config) { c.TLS.CAPath = c.TLS.CertPath }, []string{"not signed by the CA"}},
		"no client certificate": {"tls", func(c *Config) { c.TLS.CertPath, c.TLS.KeyPath = "", "" }, []string{
			"the daemon refused our certificate", "cert_pem and key_pem",
		}},
		"other server name": {"tls", func(c *Config) { c.TLS.ServerName = "elsewhere" }, []string{"for another name", "tls.server_name"}},
		"TLS to a plain port": {"tls", func(c *Config) { c.DockerHost = "tcp://" + host.TCPAddr() }, []string{
			"does not speak TLS on this port",
		}},
		"plain to a TLS port": {"tcp", func(c *Config) { c.DockerHost = "tcp://" + host.TLSAddr() }, []string{"wants TLS on this port"}},
		"nothing listens":     {"tcp", func(c *Config) { c.DockerHost = "tcp://" + host.Address + ":9" }, []string{"nothing listens there"}},
		"no such name":        {"tcp", func(c *Config) { c.DockerHost = "tcp://no-such-host.invalid" }, []string{"could not be resolved"}},
		"missing local socket": {"unix", func(c *Config) {
			c.DockerHost = "unix://" + filepath.Join(t.TempDir(), "docker.sock")
		}, []string{"no such socket"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cfg := labConfig(t, lab, c.transport)
			c.change(&cfg)
			_, err := newHost(t, cfg).Containers(testContext(t))
			wantText(t, err, append(c.want, `host "h1" (`)...)
			if !IsUnreachable(err) {
				t.Error("the host does not count as unreachable")
			}
		})
	}
}

// Forwarding may be forbidden altogether while the docker command works.
func TestAccHost_worksWithoutAnyForwarding(t *testing.T) {
	lab := testlab.LabForTest(t, 1)
	cfg := labConfig(t, lab, "ssh")
	cfg.DockerHost = lab.Hosts[0].SSHURL(testlab.SSHPortNoForward)
	h := newHost(t, cfg)
	ctx := testContext(t)
	if _, err := h.Containers(ctx); err != nil {
		t.Fatal(err)
	}
	_, err := h.DialService(ctx, "tcp", h.Address()+":22")
	wantText(t, err, "forbids the tunnel", "AllowTcpForwarding", `service_access to "direct"`)
}

// The second host is reached through the first, which is all that this machine
// needs to reach.
func TestAccHost_goesThroughAJumpHost(t *testing.T) {
	lab := testlab.LabForTest(t, 2)
	cfg := labConfig(t, lab, "ssh")
	cfg.Name, cfg.Address, cfg.DockerHost = "h2", lab.Hosts[1].Address, lab.Hosts[1].SSHURL(testlab.SSHPort)
	cfg.SSH.Jump = &JumpConfig{Address: "root@" + lab.Hosts[0].SSHAddr()}
	h := newHost(t, cfg)
	ctx := testContext(t)
	through, err := h.Daemon(ctx)
	must(t, err)
	cfg.SSH.Jump = nil
	directly, err := newHost(t, cfg).Daemon(ctx)
	must(t, err)
	jump, err := labHost(t, lab, "ssh").Daemon(ctx)
	must(t, err)
	if through.ID != directly.ID || through.ID == jump.ID {
		t.Errorf("reached daemon %s, want %s and not the jump host's %s", through.ID, directly.ID, jump.ID)
	}
	cfg.SSH.Jump = &JumpConfig{Address: "root@" + lab.Hosts[0].SSHAddr(), SSH: SSHConfig{KnownHosts: "# none"}}
	_, err = newHost(t, cfg).Daemon(ctx)
	wantText(t, err, "log in to root@"+lab.Hosts[0].SSHAddr(), "is not known")
}

func TestAccHost_picksTheHostKeyThatIsKnown(t *testing.T) {
	lab := testlab.LabForTest(t, 1)
	cfg := labConfig(t, lab, "ssh")
	known, err := os.ReadFile(cfg.SSH.KnownHostsPath)
	must(t, err)
	cfg.SSH.KnownHostsPath, cfg.SSH.KnownHosts = "", string(known)
	must(t, newHost(t, cfg).Connect(testContext(t)))
	cfg.SSH.KnownHosts = strings.Replace(string(known), "ssh-ed25519", "ssh-nothing", 1)
	var fault *ConfigError
	if _, err := New(cfg); !errors.As(err, &fault) || fault.Field != "ssh.known_hosts" {
		t.Errorf("known hosts that do not parse gave %v", err)
	}
}

func TestAccHost_survivesFaults(t *testing.T) {
	lab := testlab.LabForTest(t, 1)
	host := lab.Hosts[0]
	ctx := testContext(t)
	for _, transport := range []string{"ssh", "tls"} {
		h := labHost(t, lab, transport)
		must(t, h.Connect(ctx))
		must(t, host.KillDaemon(ctx))
		if _, err := h.Containers(ctx); !IsUnreachable(err) {
			t.Errorf("%s with a dead daemon: %v", transport, err)
		}
		must(t, host.StartDaemon(ctx))
		awaitHost(t, h)
	}
	h := labHost(t, lab, "ssh")
	must(t, h.Connect(ctx))
	must(t, host.DropSSH())
	awaitHost(t, h)
	must(t, host.Freeze())
	h.callTimeout = time.Second
	_, err := h.Containers(ctx)
	must(t, host.Thaw())
	wantText(t, err, "did not answer within 1s")
	if !IsUnreachable(err) {
		t.Error("a daemon that hangs does not count as unreachable")
	}
	awaitHost(t, h)
}

// awaitHost waits until the host answers again, which takes as long as a
// failure is remembered.
func awaitHost(t *testing.T, h *Host) {
	t.Helper()
	h.session.mu.Lock()
	h.session.remember = 10 * time.Millisecond
	h.session.mu.Unlock()
	ctx := testContext(t)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := h.Containers(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-tick.C:
		}
	}
}
