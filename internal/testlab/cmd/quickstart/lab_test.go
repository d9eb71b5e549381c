package main

import (
	"context"
	"os"
	"path/filepath"
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
	if err := q.up(ctx); err != nil {
		t.Fatal("up, repeated:", err)
	}
	// What was applied to a lab that is gone must not be taken for this one's.
	if err := testlab.Down(ctx, q.lab); err != nil {
		t.Fatal(err)
	}
	if err := q.up(ctx); err != nil {
		t.Fatal("up, after the lab was lost:", err)
	}
	if err := q.down(ctx); err != nil {
		t.Fatal("down:", err)
	}
	if err := q.down(ctx); err != nil {
		t.Fatal("down, repeated:", err)
	}
	if _, err := os.Stat(q.dir); err == nil {
		t.Error("the working directory is still there after down")
	}
}
