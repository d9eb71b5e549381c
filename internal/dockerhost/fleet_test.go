package dockerhost

import (
	"errors"
	"slices"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
)

func TestFleet_tellsUndeclaredFromNotKnownYet(t *testing.T) {
	f := NewFleet()
	h := newHost(t, Config{Name: "h2", DockerHost: "tcp://10.0.1.5", Insecure: true})
	f.Add(h)
	f.AddUnknown("h1")
	if got, err := f.Host("h2"); got != h || err != nil {
		t.Error(got, err)
	}
	var notKnown *HostNotKnownError
	if _, err := f.Host("h1"); !errors.As(err, &notKnown) || f.Reach("h1") != topology.Unknown {
		t.Error(err)
	}
	_, err := f.Host("h3")
	var missing *NoHostError
	if !errors.As(err, &missing) || !slices.Equal(missing.Known, []string{"h1", "h2"}) {
		t.Error(err)
	}
	wantText(t, err, `there is no host "h3"; the provider block has: h1, h2`)
	if declared, known := f.Declares("h3"); declared || known {
		t.Error("h3 counts as declared")
	}
	f.SetUnknown()
	if declared, known := f.Declares("h3"); !declared || known {
		t.Error("with an unknown map, h3 does not count as declared")
	}
	if _, err := f.Host("h3"); !errors.As(err, &notKnown) {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestNew_fillsInFromTheURLAndTheEnvironment(t *testing.T) {
	t.Setenv("DOCKER_HOST", "ssh://ops@10.0.1.9:2222")
	h := newHost(t, Config{Name: "h1", SSH: &SSHConfig{InsecureIgnoreHostKey: true}})
	if h.Address() != "10.0.1.9" || !h.Tunnelled() || h.link.hops[0].name != "ops@10.0.1.9:2222" {
		t.Errorf("%s, tunnelled %t, %s", h.Address(), h.Tunnelled(), h.link.hops[0].name)
	}
	t.Setenv("DOCKER_HOST", "")
	h = newHost(t, Config{Name: "h1", Address: "10.0.1.9"})
	if h.endpoint.String() != "unix:///var/run/docker.sock" || h.Tunnelled() {
		t.Errorf("without DOCKER_HOST: %s, tunnelled %t", h.endpoint, h.Tunnelled())
	}
	t.Setenv("DOCKER_HOST", "tcp://10.0.1.9")
	t.Setenv("DOCKER_TLS_VERIFY", "1")
	t.Setenv("DOCKER_CERT_PATH", t.TempDir())
	_, err := New(Config{Name: "h1"})
	wantText(t, err, `host "h1": tls.ca_path: open `, "ca.pem")
}
