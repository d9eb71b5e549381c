package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
)

// The quick start is the first thing that a newcomer runs, and it applies
// examples/topologies/three-host-ha. Up fails unless every controller is ready
// and the second plan is empty, down fails unless nothing is left.
func TestAccQuickstart_upTwiceAndDown(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("TF_ACC is not set: acceptance tests run with TF_ACC=1")
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	q := quickstart{lab: "quickstart-test", dir: filepath.Join(t.TempDir(), "work")}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := testlab.Down(ctx, q.lab); err != nil {
			t.Error(err)
		}
	})
	if err := q.up(ctx); err != nil {
		t.Fatal("up:", err)
	}
	// What the user edits stays, over another lab, too.
	const edit = "\n# edited\n"
	main := filepath.Join(q.dir, "main.tf")
	content, err := os.ReadFile(main)
	if err == nil {
		err = os.WriteFile(main, append(content, edit...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := q.up(ctx); err != nil {
		t.Fatal("up, repeated:", err)
	}
	followPrintedCommands(ctx, t, q)
	// What was applied to a lab that is gone must not be taken for this one's.
	if err := testlab.Down(ctx, q.lab); err != nil {
		t.Fatal(err)
	}
	if err := q.up(ctx); err != nil {
		t.Fatal("up, after the lab was lost:", err)
	}
	content, err = os.ReadFile(main)
	if err != nil || !strings.HasSuffix(string(content), edit) {
		t.Errorf("main.tf was edited and is now %q, %v", content, err)
	}
	if err := q.down(ctx); err != nil {
		t.Fatal("down:", err)
	}
	if err := os.Remove(main); err != nil {
		t.Error("down removed what the user has edited:", err)
	}
	if err := q.down(ctx); err != nil {
		t.Fatal("down, repeated:", err)
	}
	if _, err := os.Stat(q.dir); err == nil {
		t.Error("the working directory is still there after down")
	}
}

// followPrintedCommands does what a newcomer is told to: plan, look at each
// host, remove a container and have it repaired.
func followPrintedCommands(ctx context.Context, t *testing.T, q quickstart) {
	t.Helper()
	lab, err := testlab.Attach(q.lab)
	if err != nil {
		t.Fatal(err)
	}
	workspace, err := q.applied()
	if err != nil || workspace == nil {
		t.Fatal(workspace, err)
	}
	script := strings.ReplaceAll(goOn(workspace, daemonsOf(lab)), " apply\n", " apply -auto-approve\n")
	shell := exec.CommandContext(ctx, "bash", "-euxc", script+workspace.CLI+" plan -detailed-exitcode")
	shell.Env = append(os.Environ(), "DOCKER_HOST=")
	output, err := shell.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "container is missing") {
		t.Errorf("%v\n%s", err, output)
	}
}
