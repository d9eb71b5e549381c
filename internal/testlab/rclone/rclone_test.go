package rclone_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/rclone"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// The lab must test the release that users get.
func TestModule_pinsTheReleaseOfTheImage(t *testing.T) {
	module, err := os.ReadFile("build/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, tag, _ := strings.Cut(replication.DefaultImage, ":")
	if want := "github.com/rclone/rclone v" + tag + "\n"; !strings.Contains(string(module), want) {
		t.Errorf("build/go.mod does not require %q", strings.TrimSpace(want))
	}
}

func TestInstall(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("set TF_ACC=1: this runs busybox, and builds rclone")
	}
	if err := testlab.Prerequisites(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := rclone.Install(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{"rclone version", "sed s/a/b/ </dev/null", "exec 9>" + dir + "/lock; flock -n 9; ! { exec 8>" + dir + "/lock; flock -n 8; }"} {
		cmd := exec.Command(dir+"/sh", "-c", script)
		cmd.Env = []string{"PATH=" + dir}
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", script, err, output)
		}
	}
}
