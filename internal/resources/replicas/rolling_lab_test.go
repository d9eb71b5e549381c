package replicas_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/sampler"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

const (
	// servesAgainWithin is how long a host may be without a controller when a
	// change goes wrong.
	servesAgainWithin = time.Minute
	// changeWithin bounds one command of terraform.
	changeWithin = 4 * time.Minute
	// nodesAsk is what the requests of a node are for.
	nodesAsk = "/api/v1/status"
)

// rolling is a topology with controllers on three hosts that terraform
// changes, as a process of its own, while they are watched.
type rolling struct {
	t         *testing.T
	lab       *testlab.Lab
	workspace *tfcli.Workspace
	watch     sampler.Options
}

// newRolling watches the controllers at scheme://ADDRESS.
func newRolling(t *testing.T, lab *testlab.Lab, scheme string, trust *tls.Config) *rolling {
	t.Helper()
	r := &rolling{t: t, lab: lab, workspace: acctest.Workspace(t)}
	r.watch = sampler.Options{URLs: map[string]string{}, Path: nodesAsk, TLS: trust}
	for _, host := range lab.Hosts {
		r.watch.URLs[host.Name] = scheme + "://" + host.Address
		r.watch.Join = append(r.watch.Join, r.watch.URLs[host.Name])
	}
	return r
}

func (r *rolling) write(config string) {
	r.t.Helper()
	must(r.t, r.workspace.Write("main.tf", acctest.Required+config))
}

func (r *rolling) apply() (string, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), changeWithin)
	defer cancel()
	return r.workspace.Apply(ctx)
}

// watched watches while do runs. At most one controller may be away at any
// moment, and no request may fail.
func (r *rolling) watched(what string, do func()) sampler.Report {
	r.t.Helper()
	watch := sampler.Start(r.watch)
	do()
	report := watch.Stop()
	r.t.Logf("%s: %s", what, report)
	if least := len(r.watch.URLs) - 1; report.Minimum < least {
		r.t.Errorf("%s: only %d controllers were ready, want %d at any moment: %q", what, report.Minimum, least, report.Together)
	}
	if len(report.Nodes.Failed) > 0 {
		r.t.Errorf("%s: requests that no URL served: %q", what, report.Nodes.Failed)
	}
	if longest := report.Longest(); longest > servesAgainWithin {
		r.t.Errorf("%s: a host was without a controller for %s", what, longest)
	}
	for host, seen := range report.Hosts {
		if seen.Samples < 3 || report.Nodes.Requests < 3 {
			r.t.Errorf("%s: too few samples of %s or requests to prove anything", what, host)
		}
	}
	return report
}

// fails applies, which has to fail and say all of this. Terraform wraps lines,
// so white space and its frame do not count.
func (r *rolling) fails(wants ...string) {
	r.t.Helper()
	output, err := r.apply()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		r.t.Fatalf("no failure of terraform: %v\n%s", err, output)
	}
	flat := strings.Join(strings.Fields(strings.ReplaceAll(output, "│", " ")), " ")
	for _, want := range wants {
		if !strings.Contains(flat, want) {
			r.t.Errorf("the error does not say %q:\n%s", want, output)
		}
	}
}

// converges applies, and the second plan has to be empty.
func (r *rolling) converges() {
	r.t.Helper()
	output, err := r.apply()
	if err != nil {
		r.t.Fatalf("the next apply does not converge: %v", err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), changeWithin)
	defer cancel()
	if empty, plan, err := r.workspace.PlanIsEmpty(ctx); err != nil || !empty {
		r.t.Fatalf("the second plan is not empty: %v\n%s\napply was:\n%s", err, plan, output)
	}
	r.settled()
}

// settled: every host has its controller, ready and by its own name, and
// nothing else of it.
func (r *rolling) settled() {
	r.t.Helper()
	for _, host := range r.lab.Hosts {
		if names := r.controllers(host.Name); names != "anka-acc-controller-"+host.Name {
			r.t.Errorf("%s has the containers %q", host.Name, names)
		}
		client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: r.watch.TLS}}
		resp, err := client.Get(r.watch.URLs[host.Name] + "/readyz")
		if err != nil {
			r.t.Errorf("the controller on %s: %v", host.Name, err)
			continue
		}
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
			r.t.Errorf("the controller on %s: HTTP %d", host.Name, resp.StatusCode)
		}
	}
}

// controllers are the names of all containers of a host that belong to a
// controller, running or not.
func (r *rolling) controllers(host string) string {
	r.t.Helper()
	return docker(r.t, r.lab, host, "ps", "-a", "--format", "{{.Names}}", "--filter", "name=controller")
}

// destroy removes everything that was applied.
func (r *rolling) destroy() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), changeWithin)
	defer cancel()
	_, err := r.workspace.Destroy(ctx)
	must(r.t, err)
	for _, host := range r.lab.Hosts {
		if names := r.controllers(host.Name); names != "" {
			r.t.Errorf("after destroying, %s has %q", host.Name, names)
		}
	}
}

// plainEtcd runs an etcd of one member on a host and returns its endpoint.
func plainEtcd(t *testing.T, lab *testlab.Lab, host string) string {
	t.Helper()
	endpoint := "http://" + lab.Host(host).Address + ":2379"
	docker(t, lab, host, "run", "-d", "--name", "plain-etcd", "-p", "2379:2379", images.Etcd35, "/usr/local/bin/etcd",
		"--data-dir=/data", "--listen-client-urls=http://0.0.0.0:2379", "--advertise-client-urls="+endpoint)
	return endpoint
}

// loneControllers are controllers on three hosts without registry, and with an
// etcd that is not Terraform's.
func loneControllers(target *testlab.Target, endpoint string, attributes ...string) string {
	return fmt.Sprintf(`
resource "anka_controller" "test" {
  name           = "acc"
  replicas       = { h1 = {}, h2 = {}, h3 = {} }
  etcd_endpoints = [%q]
  general        = { allow_empty_registry = true }
  %s
  %s
}
`, endpoint, acctest.Image(target.ControllerImage), strings.Join(attributes, "\n  "))
}

// httpsWith is the attribute https with a certificate.
func httpsWith(server pki.Pair, version int) string {
	return fmt.Sprintf("https = {\n    server_cert_wo = %q\n    server_key_wo = %q\n    server_cert_wo_version = %d\n  }",
		server.CertPEM, server.KeyPEM, version)
}
