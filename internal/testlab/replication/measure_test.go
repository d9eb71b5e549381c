package replication_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	lab "github.com/anka-ha/terraform-provider-anka/internal/testlab/replication"
)

// TestMeasure: what make bench measures works. How fast it is, is told there.
func TestMeasure(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("set TF_ACC=1: this runs busybox, rclone, rsync and sshd")
	}
	if err := testlab.Prerequisites(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	m, err := lab.Measure(ctx, t.TempDir(), 16*megabyte, 4, 1)
	if err != nil || len(m.Follower) != 1 || len(m.Rsync) != 1 {
		t.Errorf("got %+v, %v", m, err)
	}
	passes, err := lab.MeasurePass(ctx, t.TempDir(), 20, 3, 1)
	if err != nil || len(passes) != 1 {
		t.Errorf("got %v, %v", passes, err)
	}
}
