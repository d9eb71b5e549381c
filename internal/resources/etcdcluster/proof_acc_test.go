package etcdcluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/etcdload"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

const (
	// maxGap is how long a voluntary change may keep the cluster from
	// acknowledging writes.
	maxGap = time.Second
	// changeWithin bounds one apply.
	changeWithin = 4 * time.Minute
)

// proof is a cluster that is changed by terraform while a writer goes on, and
// what is proven after every change.
type proof struct {
	t         *testing.T
	lab       *testlab.Lab
	workspace *tfcli.Workspace
	transport string
	// members are the hosts by member, image and attributes the rest of the
	// configuration that is applied next.
	members    map[string]string
	image      string
	attributes []string
	// keys are those of hosts in the provider block that are not the hosts'
	// names.
	keys map[string]string
	// clientPorts are those of members that do not have the usual one.
	clientPorts map[string]int

	writer    *etcdload.Writer
	clusterID string
}

// newProof bootstraps a cluster and starts the writer.
func newProof(t *testing.T, lab *testlab.Lab, start proof) *proof {
	t.Helper()
	p := &start
	p.t, p.lab, p.workspace = t, lab, newWorkspace(t)
	p.workspace.Env = []string{"TF_LOG_PROVIDER=INFO", "TF_LOG_PATH=" + p.logPath()}
	p.write()
	outcome := p.apply()
	if outcome.err != nil {
		t.Fatalf("bootstrap: %v", outcome.err)
	}
	if !sameSteps(outcome.planned, outcome.done) {
		t.Errorf("bootstrap: planned was %q, done was %q", outcome.planned, outcome.done)
	}
	p.clusterID = p.state().ClusterID
	p.whole()
	p.startWriter()
	return p
}

func (p *proof) startWriter() {
	p.t.Helper()
	writer, err := etcdload.Start(p.t.Context(), etcdload.Options{Endpoints: p.endpoints()})
	must(p.t, err)
	p.writer = writer
	p.t.Cleanup(func() { writer.Stop() })
}

func (p *proof) logPath() string { return filepath.Join(p.workspace.Dir, "provider.log") }

// write writes the configuration.
func (p *proof) write() {
	p.t.Helper()
	hosts, err := p.lab.HostsJSON(p.transport)
	must(p.t, err)
	var members strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.members)) {
		fmt.Fprintf(&members, "    %s = { host = %q, client_port = %d }\n", name, p.members[name], p.clientPort(name))
	}
	config := requiredProviders + acctest.ProviderFor(hosts, `connect_timeout = "3s"`) + fmt.Sprintf(`
resource "anka_etcd_cluster" "test" {
  name  = "acc"
  image = %q
  members = {
%s  }
  %s
}
`, p.image, members.String(), strings.Join(p.attributes, "\n  "))
	for host, key := range p.keys {
		config = strings.ReplaceAll(config, fmt.Sprintf("%q", host), fmt.Sprintf("%q", key))
	}
	must(p.t, p.workspace.Write("main.tf", config))
}

func (p *proof) clientPort(member string) int {
	if port, moved := p.clientPorts[member]; moved {
		return port
	}
	return 2379
}

// url is the client URL of a member.
func (p *proof) url(member string) string {
	return strings.Replace(url(p.lab, p.members[member]), ":2379", fmt.Sprintf(":%d", p.clientPort(member)), 1)
}

func (p *proof) endpoints() []string {
	var urls []string
	for _, name := range slices.Sorted(maps.Keys(p.members)) {
		urls = append(urls, p.url(name))
	}
	return urls
}

// outcome is what an apply or plan has said, as JSON has it: unwrapped.
type outcome struct {
	err error
	// errors and warnings are summary, colon, detail.
	errors, warnings []string
	// planned are the steps that the plan has told, done those that were begun.
	planned, done []string
	took          time.Duration
}

func (o outcome) text() string { return strings.Join(o.errors, "\n") }

var (
	numbered = regexp.MustCompile(`(?m)^\d+\. (.*)$`)
	logged   = regexp.MustCompile(`etcd cluster step: .*\bstep="((?:[^"\\]|\\.)*)"`)
)

func (p *proof) apply() outcome { return p.terraform("apply", "-auto-approve") }

func (p *proof) plan() outcome { return p.terraform("plan") }

func (p *proof) terraform(arguments ...string) outcome {
	p.t.Helper()
	_ = os.Remove(p.logPath()) // there is none before the first command
	ctx, cancel := context.WithTimeout(p.t.Context(), changeWithin)
	defer cancel()
	command := p.workspace.Command(ctx, append(arguments, "-input=false", "-json")...)
	var output, trouble bytes.Buffer
	command.Stdout, command.Stderr = &output, &trouble
	began := time.Now()
	err := command.Run()
	o := p.read(output.Bytes())
	o.took = time.Since(began)
	if err != nil {
		o.err = fmt.Errorf("terraform %s: %w\n%s%s", arguments[0], err, o.text(), trouble.String())
	}
	return o
}

// read collects the diagnostics from terraform's JSON lines and the steps from
// the provider's log.
func (p *proof) read(output []byte) outcome {
	var o outcome
	for line := range bytes.Lines(output) {
		var message struct {
			Diagnostic *struct{ Severity, Summary, Detail string }
		}
		if json.Unmarshal(line, &message) != nil || message.Diagnostic == nil {
			continue
		}
		d := message.Diagnostic
		text := d.Summary + ": " + d.Detail
		if d.Severity == "error" {
			o.errors = append(o.errors, text)
			continue
		}
		o.warnings = append(o.warnings, text)
		if strings.HasPrefix(d.Summary, "Planned steps") && len(o.planned) == 0 {
			for _, found := range numbered.FindAllStringSubmatch(d.Detail, -1) {
				o.planned = append(o.planned, found[1])
			}
		}
	}
	log, _ := os.ReadFile(p.logPath()) // nothing was logged, nothing was done
	for _, found := range logged.FindAllSubmatch(log, -1) {
		o.done = append(o.done, strings.ReplaceAll(string(found[1]), `\"`, `"`))
	}
	return o
}

// change is one apply of a change to the configuration and what has to be true
// then.
type change struct {
	what string
	// involuntary changes repair something: how long writes pause is told and
	// not asserted.
	involuntary bool
}

// changes applies the configuration as it is now in p, under load, and proves
// the cluster.
func (p *proof) changes(c change) outcome {
	p.t.Helper()
	p.write()
	p.flow(100)
	p.writer.Lap()
	o := p.apply()
	report := p.writer.Lap()
	p.t.Logf("%s: %s; %s\n  %s", c.what, o.took.Round(100*time.Millisecond), report, strings.Join(o.done, "\n  "))
	if o.err != nil {
		p.t.Fatalf("%s: %v", c.what, o.err)
	}
	if !c.involuntary && report.LongestGap > maxGap {
		p.t.Errorf("%s: no write was acknowledged for %s, at most %s is allowed", c.what, report.LongestGap, maxGap)
	}
	if !sameSteps(o.planned, o.done) {
		p.t.Errorf("%s: planned was\n  %s\ndone was\n  %s", c.what, strings.Join(o.planned, "\n  "), strings.Join(o.done, "\n  "))
	}
	must(p.t, p.writer.SetEndpoints(p.endpoints()...))
	p.proven(c.what)
	return o
}

// sameSteps compares steps that were told, with their causes, with those done.
func sameSteps(planned, done []string) bool {
	return slices.EqualFunc(planned, done, func(told, step string) bool { return told == step || strings.HasPrefix(told, step+" (") })
}

// proven: nothing was lost, all members have the same, they are exactly those
// that are configured, and there is nothing left to do.
func (p *proof) proven(what string) {
	p.t.Helper()
	p.flow(50)
	verdict, err := etcdload.Check(p.t.Context(), p.writer.Record(), p.endpoints()...)
	must(p.t, err)
	p.t.Logf("%s: %s", what, verdict)
	if err := verdict.Err(); err != nil {
		p.t.Errorf("%s: %v", what, err)
	}
	p.whole()
	p.nothingLeft(what)
}

// nothingLeft: the second plan is empty.
func (p *proof) nothingLeft(what string) {
	p.t.Helper()
	if empty, plan, err := p.workspace.PlanIsEmpty(p.t.Context()); err != nil || !empty {
		p.t.Fatalf("%s: the second plan is not empty: %v\n%s", what, err, plan)
	}
}

// flow waits until so many more writes were acknowledged.
func (p *proof) flow(more int) {
	p.t.Helper()
	goal := p.writer.Record().Len() + more
	await(p.t, fmt.Sprintf("%d more writes are acknowledged", more), func(context.Context) error {
		if n := p.writer.Record().Len(); n < goal {
			return fmt.Errorf("%d are missing", goal-n)
		}
		return nil
	})
}

// await tries until it works, within the deadline of one operation.
func await(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited until %s: %v", what, err)
		case <-tick.C:
		}
	}
}
