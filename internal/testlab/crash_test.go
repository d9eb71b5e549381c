package testlab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// nothingLeft fails the test for everything that is still there of a lab.
func nothingLeft(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	left, err := Leftovers(ctx, name)
	must(t, err)
	for _, thing := range left {
		t.Errorf("left of lab %s: %s", name, thing)
	}
}

// own starts a process that makes a lab and holds it.
func own(ctx context.Context, t *testing.T, name string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	owner := exec.CommandContext(ctx, os.Args[0])
	owner.Env = append(os.Environ(), envOwner+"="+name)
	_, err := owner.StdinPipe()
	must(t, err)
	stdout, err := owner.StdoutPipe()
	must(t, err)
	owner.Stderr = os.Stderr
	must(t, owner.Start())
	t.Cleanup(func() {
		cleanup, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := Down(cleanup, name); err != nil {
			t.Error(err)
		}
	})
	return owner, bufio.NewReader(stdout)
}

func TestAccLab_killedOwnerTakesItsHostsAlong(t *testing.T) {
	LabForTest(t, 1) // root, programs, and this process's own lab, which must survive the sweep
	ctx, name := within(t, 2*time.Minute), fmt.Sprintf("crash-%d", os.Getpid())
	owner, said := own(ctx, t, name)
	if line, err := said.ReadString('\n'); line != "up\n" {
		t.Fatalf("the owner said %q: %v", line, err)
	}
	if processes, err := processesOf(name); err != nil || len(processes) < 2 {
		t.Fatalf("the lab has processes %v, %v: nothing would be proved", processes, err)
	}
	must(t, owner.Process.Signal(syscall.SIGKILL))
	_ = owner.Wait()
	must(t, poll(ctx, "hosts to end with their owner", func() (bool, error) {
		processes, err := processesOf(name)
		return len(processes) == 0, err
	}))
	left, err := Leftovers(ctx, name)
	must(t, err)
	if len(left) == 0 {
		t.Error("a killed owner left nothing: the sweep would prove nothing")
	}
	must(t, Sweep(ctx, t.Logf))
	nothingLeft(ctx, t, name)
	if !shared.lab.Hosts[0].Running() {
		t.Error("the sweep took a living lab down")
	}
}

func TestAccLab_ownerKilledWhileItBuildsIsSwept(t *testing.T) {
	LabForTest(t, 1)
	ctx, name := within(t, 2*time.Minute), fmt.Sprintf("early-%d", os.Getpid())
	owner, _ := own(ctx, t, name)
	must(t, poll(ctx, "the first host to start", func() (bool, error) {
		found, err := loadState(name)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil && (found.Hosts[0].First.PID != 0 || found.Hosts[1].First.PID != 0), err
	}))
	must(t, owner.Process.Signal(syscall.SIGKILL))
	_ = owner.Wait()
	must(t, poll(ctx, "what was started to end with its owner", func() (bool, error) {
		must(t, Sweep(ctx, t.Logf))
		left, err := Leftovers(ctx, name)
		return len(left) == 0, err
	}))
}

func TestAccLab_detachedLabIsReusedAndLeavesNothing(t *testing.T) {
	LabForTest(t, 1)
	ctx, name := within(t, 2*time.Minute), fmt.Sprintf("stay-%d", os.Getpid())
	options := Options{Name: name, Hosts: 2, Images: []string{images.Etcd35}, Detached: true, Reuse: true}
	t.Cleanup(func() {
		cleanup, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := Down(cleanup, name); err != nil {
			t.Error(err)
		}
	})
	lab, err := Up(ctx, options)
	must(t, err)
	again, err := Up(ctx, options)
	must(t, err)
	if again.Hosts[0].current().Process != lab.Hosts[0].current().Process {
		t.Error("the second Up made new hosts")
	}
	if _, err := Up(ctx, Options{Name: name, Hosts: 2}); err == nil {
		t.Error("a running lab was replaced without being asked")
	}
	if _, err := Up(ctx, Options{Name: name, Hosts: 1, Detached: true, Reuse: true}); err == nil {
		t.Error("a lab of another size was reused")
	}
	if _, err := Up(ctx, Options{Name: "other", Hosts: 1, Subnet: lab.Subnet}); err == nil {
		t.Error("two labs got the same subnet")
	}
	if lab.Subnet == shared.lab.Subnet {
		t.Errorf("two labs chose subnet %s", lab.Subnet)
	}
	runEtcd(ctx, t, lab.Hosts[0]) // its control group must go too
	// A host that was powered off and on by somebody else belongs to the lab as before.
	must(t, again.Hosts[1].PowerOff(ctx))
	must(t, again.Hosts[1].PowerOn(ctx))
	must(t, Down(ctx, name))
	nothingLeft(ctx, t, name)
	nothingLeft(ctx, t, "other")
}
