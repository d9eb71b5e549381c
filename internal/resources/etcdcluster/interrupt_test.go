package etcdcluster_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

const requiredProviders = `
terraform {
  required_providers {
    anka = { source = "anka-ha/anka" }
  }
}
`

// newWorkspace is an empty folder for terraform with the provider built.
func newWorkspace(t *testing.T) *tfcli.Workspace {
	t.Helper()
	plugins := t.TempDir()
	must(t, tfcli.BuildProvider(t.Context(), plugins))
	workspace, err := tfcli.New(t.TempDir(), plugins)
	must(t, err)
	return workspace
}

// TestAccEtcdCluster_oneBootstrapAtATime: while another machine may be creating
// the cluster, a second apply changes nothing and names it. That machine is
// this one under another name.
func TestAccEtcdCluster_oneBootstrapAtATime(t *testing.T) {
	lab, target := labAndTarget(t)
	workspace := newWorkspace(t)
	must(t, workspace.Write("main.tf", requiredProviders+acctest.Provider(t, target, "tcp")+cluster(target)))
	command := workspace.Command(context.Background(), "apply", "-auto-approve", "-input=false", "-no-color")
	command.Args = append([]string{"unshare", "--uts", "sh", "-c", `hostname elsewhere && exec "$@"`, "sh", command.Path}, command.Args[1:]...)
	var err error
	command.Path, err = exec.LookPath("unshare")
	must(t, err)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, command.Start())
	await(t, "the first apply makes containers", func(context.Context) error {
		if docker(t, lab, "h1", "ps", "-aq") == "" {
			return errors.New("none yet")
		}
		return nil
	})
	must(t, syscall.Kill(-command.Process.Pid, syscall.SIGKILL))
	_ = command.Wait() // it was killed
	before := docker(t, lab, "h1", "ps", "-a", "--format", "{{.ID}}")
	output, err := workspace.Apply(t.Context())
	expectInError(t, output, err, "another apply is creating cluster acc", "on elsewhere", "apply again in")
	if after := docker(t, lab, "h1", "ps", "-a", "--format", "{{.ID}}"); after != before {
		t.Errorf("containers on h1 were %q and are %q", before, after)
	}
}

// oneCluster checks on the hosts that there is exactly one container per
// member and that all members say the same.
func oneCluster(t *testing.T, lab *testlab.Lab) {
	t.Helper()
	ids := map[uint64]bool{}
	for i, host := range []string{"h1", "h2", "h3"} {
		want := fmt.Sprintf("anka-acc-etcd-etcd-%d", i+1)
		if got := docker(t, lab, host, "ps", "-a", "--format", "{{.Names}}"); got != want {
			t.Errorf("containers on %s: %q, want %q", host, got, want)
		}
		status, err := statusAt(url(lab, host))
		must(t, err)
		ids[status.ClusterID] = true
		if len(status.Members) != 3 {
			t.Errorf("%s has %d members", host, len(status.Members))
		}
	}
	if len(ids) != 1 {
		t.Errorf("%d clusters: %v", len(ids), ids)
	}
}

// TestAccEtcdCluster_oneHostUnreachable: a bootstrap without one of its hosts
// ends before anything is made on the others, and names the host.
func TestAccEtcdCluster_oneHostUnreachable(t *testing.T) {
	lab, target := labAndTarget(t)
	workspace := newWorkspace(t)
	must(t, workspace.Write("main.tf", requiredProviders+acctest.Provider(t, target, "tls", `connect_timeout = "3s"`)+cluster(target)))
	must(t, lab.Host("h2").CutOff(t.Context()))
	output, err := workspace.Apply(t.Context())
	expectInError(t, output, err, "Unable to bootstrap etcd cluster", "No answer from host h2", "nothing was changed on any host")
	for _, host := range []string{"h1", "h3"} {
		if left := docker(t, lab, host, "ps", "-aq") + docker(t, lab, host, "volume", "ls", "-q"); left != "" {
			t.Errorf("left on %s: %s", host, left)
		}
	}
}

// TestAccEtcdCluster_memberIsLate: from the quorum on a creation is no error,
// whatever is missing: Terraform would destroy the cluster with the next apply.
func TestAccEtcdCluster_memberIsLate(t *testing.T) {
	lab := testlab.LabForTest(t, 3)
	const peers = "iptables %s FORWARD -p tcp --dport 2380 -j DROP"
	run := func(what string) {
		t.Helper()
		if output, err := lab.Host("h3").Run(t.Context(), fmt.Sprintf(peers, what)); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}
	run("-I")
	p := &proof{t: t, lab: lab, workspace: newWorkspace(t), transport: "ssh", image: images.Etcd35, members: three(), attributes: []string{`timeouts = { create = "45s" }`}}
	p.workspace.Env = []string{"TF_LOG_PROVIDER=INFO", "TF_LOG_PATH=" + p.logPath()}
	p.write()
	o := p.apply()
	must(t, o.err)
	if !slices.ContainsFunc(o.warnings, func(w string) bool {
		return strings.Contains(w, "Etcd cluster is not whole yet") && strings.Contains(w, "etcd-3")
	}) {
		t.Errorf("warnings are %q", o.warnings)
	}
	created := p.state()
	if created.Ready || created.ClusterID == "" || !strings.Contains(created.Degraded, "etcd-3") {
		t.Errorf("the state is %+v", created)
	}
	p.clusterID = created.ClusterID
	before := p.containerIDs()

	run("-D")
	must(t, p.apply().err)
	if healed := p.state(); !healed.Ready || healed.ClusterID != created.ClusterID {
		t.Errorf("the cluster was %+v and is %+v", created, healed)
	}
	p.same(before)
	p.whole()
	p.nothingLeft("the member is back")
}

// TestAccEtcdCluster_portTaken: a port that a process of the host holds only
// shows at start. The error names host, port and attribute, what was made is
// removed again, and another port works.
func TestAccEtcdCluster_portTaken(t *testing.T) {
	lab, target := labAndTarget(t)
	workspace := newWorkspace(t)
	config := requiredProviders + acctest.Provider(t, target, "ssh")
	must(t, workspace.Write("main.tf", config+cluster(target)))
	release := holdPort(t, lab.Host("h2"), 2380)
	output, err := workspace.Apply(t.Context())
	expectInError(t, output, err, "Unable to bootstrap etcd cluster", "h2", "2380", "peer_port", "were removed again")
	release()
	for _, host := range []string{"h1", "h2", "h3"} {
		if left := docker(t, lab, host, "ps", "-aq"); left != "" {
			t.Errorf("containers on %s: %s", host, left)
		}
	}
	must(t, workspace.Write("main.tf", config+strings.Replace(cluster(target), `{ host = "h2" }`, `{ host = "h2", peer_port = 12380 }`, 1)))
	_, err = workspace.Apply(t.Context())
	must(t, err)
	oneCluster(t, lab)
}

// holdPort occupies a port of a host with a process that is not Docker's.
func holdPort(t *testing.T, host *testlab.Host, port int) func() {
	t.Helper()
	const listen = `use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die; while ($s->accept) {}`
	pid, err := host.Run(t.Context(), fmt.Sprintf("perl -e '%s' %d >/dev/null 2>&1 & echo $!", listen, port))
	must(t, err)
	release := func() {
		_, err := host.Run(context.Background(), "kill "+strings.TrimSpace(pid))
		must(t, err)
	}
	deadline := time.Now().Add(timeout)
	for {
		if conn, err := dialer.DialContext(t.Context(), "tcp", fmt.Sprintf("%s:%d", host.Address, port)); err == nil {
			_ = conn.Close()
			return release
		}
		if time.Now().After(deadline) {
			t.Fatalf("port %d of %s is still free", port, host.Name)
		}
	}
}

// expectInError checks that a command failed and said all of this. Terraform
// wraps lines, so white space and its frame do not count.
func expectInError(t *testing.T, output string, err error, wants ...string) {
	t.Helper()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("no failure of terraform: %v\n%s", err, output)
	}
	text := flat(output)
	for _, want := range wants {
		if !strings.Contains(text, flat(want)) {
			t.Errorf("the error does not say %q:\n%s", want, output)
		}
	}
}

func flat(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "│", " ")), " ")
}
