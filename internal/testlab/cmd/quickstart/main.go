// Command quickstart shows the provider at work on one machine: it makes a lab
// of three Docker hosts, builds the provider, applies the three-host topology
// of examples/ to them, shows what came of it and proves a second plan empty.
//
//	quickstart up      make or reuse the lab, apply, show, prove
//	quickstart down    destroy, remove the lab, prove that nothing is left
//
// Layer: a command of the test lab; nothing imports it. Both commands can be
// repeated, also after one of them was interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// quickstart is where it all happens: a lab and a directory of its own.
type quickstart struct {
	lab string
	// dir is where the example is applied, outside of the repository.
	dir string
}

// deadline bounds each command. A first run builds etcd, which takes minutes
// on a small machine.
const deadline = 20 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, deadline)
	err := run(ctx, os.Args[1:])
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("find a place for the working directory: %w", err)
	}
	q := quickstart{lab: "quickstart", dir: filepath.Join(cache, "anka-quickstart")}
	switch strings.Join(arguments, " ") {
	case "up":
		return q.up(ctx)
	case "down":
		return q.down(ctx)
	default:
		return errors.New("want one argument: up or down")
	}
}

// up may be repeated: a running lab and what was applied to it are used again.
func (q quickstart) up(ctx context.Context) error {
	began := time.Now()
	// Better missed now than after the lab was made.
	if _, err := tfcli.Find(); err != nil {
		return err
	}
	step("A lab of three Docker hosts on this machine")
	lab, err := testlab.Up(ctx, testlab.Options{Name: q.lab, Detached: true, Reuse: true, Log: progress})
	if err != nil {
		return err
	}
	for _, host := range lab.Hosts {
		progress("%s  %s  %s", host.Name, host.Address, host.SSHURL(testlab.SSHPort))
	}
	step("The provider, and " + example + " in a directory of its own")
	workspace, err := q.prepare(ctx, lab)
	if err != nil {
		return err
	}
	progress("%s", workspace.Dir)

	step(cliName(workspace) + " apply")
	if err := shown(ctx, workspace, "apply"); err != nil {
		return fmt.Errorf("%w\n\nLook around in %s; make quickstart tries again, make quickstart-down removes everything",
			err, workspace.Dir)
	}
	if err := show(ctx, workspace); err != nil {
		return err
	}
	step(cliName(workspace) + " plan, a second time")
	empty, plan, err := workspace.PlanIsEmpty(ctx)
	if err != nil {
		return err
	}
	if !empty {
		return fmt.Errorf("the second plan is not empty:\n%s", plan)
	}
	progress("No changes.")
	step("To go on from here")
	fmt.Print(goOn(workspace, daemonsOf(lab)))
	fmt.Printf("\nDone in %s. make quickstart-down removes everything, the lab with all data in it.\n", time.Since(began).Round(time.Second))
	return nil
}

// show tells what came of the apply, and fails when it is not what it should be.
func show(ctx context.Context, workspace *tfcli.Workspace) error {
	outputs, err := readOutputs(ctx, workspace)
	if err != nil {
		return err
	}
	step("The etcd cluster, as its members tell it")
	if err := showMembers(ctx, outputs.etcdEndpoints); err != nil {
		return err
	}
	step("The controllers, as the data source anka_controller_status reads them")
	if err := showControllers(outputs.controllers); err != nil {
		return err
	}
	step("To be run on every Anka node")
	progress("%s", outputs.join)
	return nil
}

// down removes whatever there is, and trusts only what it then finds.
func (q quickstart) down(ctx context.Context) error {
	if _, err := testlab.Attach(q.lab); err == nil {
		q.destroy(ctx)
	}
	step("The lab goes, and with it all data that was in it")
	if err := testlab.Down(ctx, q.lab); err != nil {
		return err
	}
	kept, err := clear(q.dir)
	if err != nil {
		return err
	}
	for _, file := range kept {
		progress("kept your %s", filepath.Join(q.dir, file))
	}
	left, err := testlab.Leftovers(ctx, q.lab)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("the lab is down, but this is left of it:\n  %s", strings.Join(left, "\n  "))
	}
	progress("no namespace, process, container, mount or file of it is left")
	return nil
}

// destroy shows what the provider does for a destroy. The lab goes anyway, so
// a failure is told and does not stop the rest.
func (q quickstart) destroy(ctx context.Context) {
	workspace, err := q.applied()
	if err == nil && workspace != nil {
		step(cliName(workspace) + " destroy")
		err = shown(ctx, workspace, "destroy")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart: the destroy failed, the lab is removed with everything on it:", err)
	}
}

func step(text string) { fmt.Printf("\n=== %s\n", text) }

func progress(format string, values ...any) { fmt.Printf("    "+format+"\n", values...) }
