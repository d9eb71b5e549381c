package replicas_test

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
)

// protected are the attributes of registries and controllers that change in
// the course of TestAccController_updatesAreNotFelt.
type protected struct {
	token        string
	tokenVersion int
	server       pki.Pair
	certVersion  int
	image        string
	timeout      string
}

func (p protected) registries() string {
	return fmt.Sprintf("root_token_wo = %q\n  root_token_wo_version = %d", p.token, p.tokenVersion)
}

func (p protected) controllers(authority *pki.Authority) []string {
	return []string{
		p.registries(), "port = 443",
		httpsWith(p.server, p.certVersion),
		fmt.Sprintf("authentication = {\n    ca_cert_wo = %q\n    ca_cert_wo_version = 1\n  }", authority.PEM),
		fmt.Sprintf("general = { instance_timeout = %q }", p.timeout),
		// Whoever does not wait for the last host takes two down at once.
		`env = { ANKASIM_READY_DELAY = "1500ms" }`,
	}
}

// TestAccController_updatesAreNotFelt changes settings, image, certificate and
// root token of controllers with HTTPS and authentication. At every sample at
// least two of the three are ready, and no request of a node fails.
func TestAccController_updatesAreNotFelt(t *testing.T) {
	lab, target := labAndTarget(t)
	authority := pki.NewAuthority(t, "web-ca")
	var addresses []string
	for _, host := range lab.Hosts {
		addresses = append(addresses, host.Address)
	}
	issue := func() pki.Pair { return authority.Issue(t, "server", addresses...) }
	client := authority.Issue(t, "node")
	r := newRolling(t, lab, "https", &tls.Config{RootCAs: authority.Pool, Certificates: []tls.Certificate{client.TLS}})
	p := protected{
		token: "canary-root-token-1", tokenVersion: 1, server: issue(), certVersion: 1, image: target.ControllerImage, timeout: "1m",
	}
	provider := acctest.Provider(t, target, "ssh", fmt.Sprintf("anka_auth = { ca_pem = %q, client_cert_pem = %q, client_key_pem = %q }",
		authority.PEM, client.CertPEM, client.KeyPEM))
	write := func() {
		r.write(provider + registryOn(target, threeHosts, p.registries()) +
			strings.Replace(controllersOn(target, p.controllers(authority)...), target.ControllerImage, p.image, 1))
	}
	write()
	r.converges()

	const other = "anka-lab/controller:v1.50.2"
	for _, host := range lab.Hosts {
		docker(t, lab, host.Name, "tag", target.ControllerImage, other)
	}
	samples, requests := 0, 0
	for _, change := range []struct {
		what string
		do   func()
	}{
		{"settings", func() { p.timeout = "3m" }},
		{"image", func() { p.image = other }},
		{"certificate", func() { p.server, p.certVersion = issue(), 2 }},
		{"root token", func() { p.token, p.tokenVersion = "canary-root-token-2", 2 }},
	} {
		before := ids(t, lab, "controller")
		change.do()
		write()
		report := r.watched(change.what, r.converges)
		samples, requests = samples+report.Samples, requests+report.Nodes.Requests
		for host, id := range ids(t, lab, "controller") {
			if id == before[host] || report.Hosts[host].NotReady == 0 {
				t.Errorf("%s: the controller on %s was not replaced, or that was not seen: nothing is proven", change.what, host)
			}
		}
	}
	t.Logf("all changes: %d samples, %d requests", samples, requests)
	for _, host := range lab.Hosts {
		env := docker(t, lab, host.Name, "inspect", "-f", "{{json .Config.Env}}", "anka-acc-controller-"+host.Name)
		if !strings.Contains(env, "ANKA_ROOT_TOKEN=canary-root-token-2") || !strings.Contains(env, "ANKA_INSTANCE_TIME_OUT=3m") {
			t.Errorf("the controller on %s has the environment %s", host.Name, env)
		}
	}
	r.destroy()
}
