package replicationops_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/replicationops"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/dockerstub"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// TestReadMarks: an ID, nothing, and data without an ID are told apart; a file
// that is empty is none of them.
func TestReadMarks(t *testing.T) {
	fleet := dockerhost.NewFleet()
	mark := registry.BasePath + "/" + replication.Sentinel
	directories := registry.Directories(map[string]string{"ANKA_IMAGE_DIR_PATH": "own", "ANKA_VM_DIR_PATH": "vms"})
	for name, files := range map[string]map[string]string{
		"h1": {mark: "r1\n"},
		"h2": {},
		"h3": {mark: "\n"},
		"h4": {registry.BasePath + "/own": "a layer"},
		"h5": {registry.BasePath + "/vm_dir": "a template, where this registry has none"},
	} {
		daemon := &dockerstub.Daemon{}
		for path, content := range files {
			daemon.Writes("c", path, content)
		}
		fleet.Add(daemon.Host(t, name))
	}
	marks, err := replicationops.ReadMarks(t.Context(), fleet, map[string]string{"h1": "c", "h2": "c", "h4": "c", "h5": "c"}, directories)
	if err != nil || marks["h1"].ID != "r1" || marks["h2"] != (registry.Mark{}) || !marks["h4"].Filled || marks["h5"].Filled || len(marks) != 4 {
		t.Errorf("got %+v, %v", marks, err)
	}
	_, err = replicationops.ReadMarks(t.Context(), fleet, map[string]string{"h3": "c"}, directories)
	if err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("an empty file: %v", err)
	}
}

// TestAwaitHandover_behind: a follower that holds less, and of which nothing
// more comes, is told with what it lacks.
func TestAwaitHandover_behind(t *testing.T) {
	source, follower := &dockerstub.Daemon{}, &dockerstub.Daemon{}
	source.Writes("s", replication.StatusPath, `{"role":"source","state":"ok","generation":3,"manifest":"m3","last_attempt":"2026-01-01T00:00:00Z","last_error":""}`)
	source.Writes("s", replication.SnapshotPath+"/m/m3", "L\timages_dir/a.ank\t1\t1\nL\timages_dir/b.ank\t1\t1\n")
	follower.Writes("f", replication.StatusPath, `{"role":"follower","in_sync":false,"manifest":"none","last_error":"disk full"}`)
	follower.Writes("f", replication.DataPath+"/"+replication.StateDir+"/placed", "L\timages_dir/a.ank\t1\t1\n")
	fleet := dockerhost.NewFleet()
	fleet.Add(source.Host(t, "h1"))
	fleet.Add(follower.Host(t, "h2"))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err := replicationops.AwaitHandover(ctx, fleet, replicationops.Side{Name: "h1", ID: "s"}, replicationops.Side{Name: "h2", ID: "f"})
	var behind *replicationops.BehindError
	if !errors.As(err, &behind) || !slices.Equal(behind.Missing, []string{"images_dir/b.ank"}) || behind.From != "h1" || behind.To != "h2" {
		t.Errorf("got %v", err)
	}
	many := make([]string, 12)
	for i := range many {
		many[i] = fmt.Sprintf("images_dir/%d.ank", i)
	}
	text := (&replicationops.BehindError{From: "h1", To: "h2", Why: "because", Missing: many}).Error()
	for _, want := range []string{"on h2", "on h1", "because", "12 files", "images_dir/9.ank", "and 2 more"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

// TestWriteMarks_first: where the primary's file cannot be written, no other
// host gets one.
func TestWriteMarks_first(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.Add(dockerstub.Silent(t, "h1"))
	fleet.Add((&dockerstub.Daemon{}).Host(t, "h2")) // refuses to write anything, and would be named
	containers := map[string]string{"h1": "c", "h2": "c"}
	err := replicationops.WriteMarks(t.Context(), fleet, containers, replicationops.NewMark{ID: "r1", First: "h1"})
	if err == nil || !strings.Contains(err.Error(), `"h1"`) || strings.Contains(err.Error(), `"h2"`) {
		t.Errorf("got %v", err)
	}
	err = replicationops.WriteMarks(t.Context(), fleet, containers, replicationops.NewMark{ID: "r1"})
	if err == nil || !strings.Contains(err.Error(), `"h2"`) {
		t.Errorf("with none first: %v", err)
	}
}
