package topology

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

const example = "examples/topologies/three-host-ha"

// exampleWorkspace is a copy of the example with the target's hosts over ssh.
func exampleWorkspace(t *testing.T, target *testlab.Target) *tfcli.Workspace {
	t.Helper()
	w := workspace(t)
	repository, err := tfcli.Repository(t.Context())
	must(t, err)
	files, err := filepath.Glob(filepath.Join(repository, example, "*.tf"))
	must(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		must(t, err)
		must(t, w.Write(filepath.Base(file), string(content)))
	}
	hosts, err := target.HostsJSON("ssh")
	must(t, err)
	variables, err := json.Marshal(map[string]any{"hosts": json.RawMessage(hosts), "images": exampleImages(target)})
	must(t, err)
	must(t, w.Write("test.auto.tfvars.json", string(variables)))
	return w
}

// exampleImages is the variable images of the examples: real hosts pull what is
// not named.
func exampleImages(target *testlab.Target) map[string]string {
	named := map[string]string{"etcd": target.EtcdImage, "controller": target.ControllerImage, "registry": target.RegistryImage}
	if target.Lab != nil {
		named["replication"] = images.Rclone
	}
	maps.DeleteFunc(named, func(_, image string) bool { return image == "" })
	return named
}

func withinMinutes(t *testing.T, n time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), n*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// TestAccTopology_example applies the example that users copy, checks what it
// built from the outside, finds the second plan empty, and destroys it; what
// the registries stored stays.
func TestAccTopology_example(t *testing.T) {
	target := testlab.ForTest(t)
	w := exampleWorkspace(t, target)
	ctx := withinMinutes(t, 6)
	_, err := w.Apply(ctx)
	must(t, err)
	var join string
	must(t, w.Output(ctx, "join", &join))
	urls := strings.Split(strings.TrimPrefix(join, "sudo ankacluster join "), ",")
	if len(urls) != 3 {
		t.Fatalf("join line %q", join)
	}
	for _, url := range urls {
		body := get(ctx, t, url+"/api/v1/status")
		for _, want := range []string{`"status":"Running"`, `"registry_status":"Running"`, `"registry_address":"` + url + `:8089"`} {
			if !strings.Contains(body, want) {
				t.Errorf("%s says %s, not %s", url, body, want)
			}
		}
	}
	expectEmptyPlan(ctx, t, w)
	if target.Lab != nil {
		_, err = target.Lab.Host("h1").Run(ctx, "echo kept > /opt/registry-storage/canary")
		must(t, err)
	}
	_, err = w.Destroy(ctx)
	must(t, err)
	if target.Lab == nil {
		return
	}
	for _, host := range target.Lab.Hosts {
		if left := docker(t, target.Lab, host.Name, "ps", "-aq"); left != "" {
			t.Errorf("containers left on %s: %s", host.Name, left)
		}
	}
	kept, err := target.Lab.Host("h1").Run(ctx, "cat /opt/registry-storage/canary")
	if err != nil || strings.TrimSpace(kept) != "kept" {
		t.Errorf("after destroy the registry's storage holds %q, %v", kept, err)
	}
}

func get(ctx context.Context, t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	must(t, err)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return string(body)
}

func expectEmptyPlan(ctx context.Context, t *testing.T, w *tfcli.Workspace) {
	t.Helper()
	if empty, plan, err := w.PlanIsEmpty(ctx); err != nil || !empty {
		t.Errorf("second plan: %v\n%s", err, plan)
	}
}

// TestAccTopology_survivesFaults: with a host down the plan warns, proposes no
// deletion and takes less than half a minute; a killed and restarted daemon
// changes nothing; a topology without a container is repaired.
func TestAccTopology_survivesFaults(t *testing.T) {
	target := testlab.ForTest(t)
	if target.Lab == nil {
		t.Fatalf("this test breaks hosts on purpose and runs on the lab only: unset %s and run as root", testlab.EnvHosts)
	}
	lab, w, ctx := target.Lab, exampleWorkspace(t, target), withinMinutes(t, 8)
	_, err := w.Apply(ctx)
	must(t, err)

	must(t, lab.Host("h3").PowerOff(ctx))
	expectHarmlessPlan(ctx, t, w, "h3")
	must(t, lab.Host("h3").PowerOn(ctx))
	converge(ctx, t, w)

	must(t, lab.Host("h2").KillDaemon(ctx))
	must(t, lab.Host("h2").StartDaemon(ctx))
	waitForEmptyPlan(ctx, t, w)

	docker(t, lab, "h1", "rm", "-f", "anka-anka-controller-h1")
	docker(t, lab, "h2", "rm", "-f", "anka-anka-registry-h2")
	docker(t, lab, "h3", "rm", "-f", "anka-anka-etcd-etcd-3")
	converge(ctx, t, w)
	_, err = w.Destroy(ctx)
	must(t, err)
}

// expectHarmlessPlan plans the whole example while a host is down: it must
// succeed in time, warn of the host and of its controller, and, by its JSON,
// change nothing.
func expectHarmlessPlan(ctx context.Context, t *testing.T, w *tfcli.Workspace, down string) {
	t.Helper()
	began := time.Now()
	output, err := w.Run(ctx, "plan", "-no-color", "-input=false", "-out=down.plan")
	must(t, err)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the plan with a host down took %s", took)
	}
	for _, want := range []string{"Host " + down + " is unreachable", "Controllers are not ready: " + down + ":"} {
		if !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(output, "│", " ")), " "), want) {
			t.Errorf("no warning %q:\n%s", want, output)
		}
	}
	shown, err := w.Command(ctx, "show", "-json", "down.plan").Output()
	must(t, err)
	var plan struct {
		Changes []struct {
			Address string
			Mode    string
			Change  struct{ Actions []string }
		} `json:"resource_changes"`
	}
	must(t, json.Unmarshal(shown, &plan))
	if len(plan.Changes) != 3 {
		t.Fatalf("the plan is about %d resources, not 3", len(plan.Changes))
	}
	for _, c := range plan.Changes {
		if c.Mode != "managed" {
			t.Errorf("with a host down %s is not read while planning", c.Address)
		}
		if fmt.Sprint(c.Change.Actions) != "[no-op]" {
			t.Errorf("with %s down %s is planned as %v", down, c.Address, c.Change.Actions)
		}
	}
}

// converge applies and expects nothing to be left to do.
func converge(ctx context.Context, t *testing.T, w *tfcli.Workspace) {
	t.Helper()
	_, err := w.Apply(ctx)
	must(t, err)
	expectEmptyPlan(ctx, t, w)
}

// waitForEmptyPlan plans until nothing is left to do: containers that their
// daemon restarts need a moment.
func waitForEmptyPlan(ctx context.Context, t *testing.T, w *tfcli.Workspace) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		empty, plan, err := w.PlanIsEmpty(ctx)
		if err == nil && empty {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the plan is not empty: %v\n%s", err, plan)
		}
	}
}

// TestAccTopology_killedInMidApply kills terraform and the provider while the
// whole topology is made, and finishes it with the next apply.
func TestAccTopology_killedInMidApply(t *testing.T) {
	const seed, rounds = 7, 3
	target := testlab.ForTest(t)
	w := exampleWorkspace(t, target)
	ctx := withinMinutes(t, 8)
	began := time.Now()
	_, err := w.Apply(ctx)
	must(t, err)
	whole := time.Since(began)
	_, err = w.Destroy(ctx)
	must(t, err)
	random := rand.New(rand.NewPCG(seed, seed))
	for round := range rounds {
		after := time.Duration(0.9 * float64(whole) * (float64(round) + random.Float64()) / rounds)
		t.Logf("round %d of seed %d: SIGKILL after %s of about %s", round, seed, after, whole)
		command := w.Command(context.Background(), "apply", "-auto-approve", "-input=false", "-no-color")
		command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		must(t, command.Start())
		ended := make(chan error, 1)
		go func() { ended <- command.Wait() }()
		select {
		case <-time.After(after):
			must(t, syscall.Kill(-command.Process.Pid, syscall.SIGKILL))
			if err := <-ended; err == nil {
				t.Log("the apply had ended by itself")
			}
		case err := <-ended:
			t.Logf("the apply had ended by itself: %v", err)
		}
		converge(ctx, t, w)
		_, err = w.Destroy(ctx)
		must(t, err)
	}
}
