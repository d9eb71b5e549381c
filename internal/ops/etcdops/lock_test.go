package etcdops

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
)

// TestEnded: a holder on this machine that was killed has ended even while
// nobody asks for its exit code; one that runs, or is elsewhere, has not.
func TestEnded(t *testing.T) {
	here := self()
	if ended(here) {
		t.Error("this process has ended")
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	holder := etcdclient.Holder{Host: here.Host, PID: child.Process.Pid}
	if ended(holder) {
		t.Error("a running child has ended")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for !ended(holder) {
		if time.Now().After(deadline) {
			t.Fatal("a killed child that nobody waited for has not ended")
		}
	}
	_ = child.Wait() // it was killed
	if !ended(holder) {
		t.Error("a child that is gone has not ended")
	}
	holder.Host, holder.PID = "another-"+here.Host, os.Getpid()
	if ended(holder) {
		t.Error("a holder elsewhere has ended")
	}
}

// TestClaim: the containers of a bootstrap are left alone while who made them
// may be at work, and no longer.
func TestClaim(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	me := self()
	elsewhere := etcdclient.Holder{Host: "another-" + me.Host, PID: 1, Since: now.Add(-30 * time.Second)}
	if left := claim(elsewhere, now); left != 90*time.Second {
		t.Errorf("a holder elsewhere has %s left", left)
	}
	elsewhere.Since = now.Add(-3 * time.Minute)
	if left := claim(elsewhere, now); left > 0 {
		t.Errorf("an old holder elsewhere has %s left", left)
	}
	me.Since = now
	if left := claim(me, now); left > 0 {
		t.Errorf("this process has %s left", left)
	}
	me.PID = os.Getppid()
	if left := claim(me, now); left <= 0 {
		t.Error("another process of this machine that runs is at work no longer")
	}
}
