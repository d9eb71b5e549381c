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
	"strings"
	"syscall"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
)

// labName is the lab that belongs to quickstart alone.
const labName = "quickstart"

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
	switch strings.Join(arguments, " ") {
	case "up":
		return up(ctx)
	case "down":
		return down(ctx)
	default:
		return errors.New("want one argument: up or down")
	}
}

// up may be repeated: a running lab and what was applied to it are used again.
func up(ctx context.Context) error {
	began := time.Now()
	cli, err := findCLI()
	if err != nil {
		return err
	}
	repository, err := repositoryRoot(ctx)
	if err != nil {
		return err
	}
	step("A lab of three Docker hosts on this machine")
	lab, err := testlab.Up(ctx, testlab.Options{Name: labName, Detached: true, Reuse: true, Log: progress})
	if err != nil {
		return err
	}
	for _, host := range lab.Hosts {
		progress("%s  %s  %s", host.Name, host.Address, host.SSHURL(testlab.SSHPort))
	}
	step("The provider, and examples/topologies/three-host-ha in a directory of its own")
	work, err := prepare(ctx, repository, lab)
	if err != nil {
		return err
	}
	progress("%s", work.dir)

	step(cli.name() + " apply")
	if err := cli.apply(ctx, work); err != nil {
		return fmt.Errorf("%w\n\nLook around in %s; make quickstart tries again, make quickstart-down removes everything", err, work.dir)
	}
	outputs, err := cli.outputs(ctx, work)
	if err != nil {
		return err
	}
	step("The etcd cluster, as its members tell it")
	if err := showMembers(ctx, outputs.EtcdEndpoints); err != nil {
		return err
	}
	step("The controllers, as the data source anka_controller_status reads them")
	if err := showControllers(outputs.Controllers); err != nil {
		return err
	}
	step("To be run on every Anka node")
	progress("%s", outputs.Join)

	step(cli.name() + " plan, a second time")
	if err := cli.proveEmptyPlan(ctx, work); err != nil {
		return err
	}
	progress("No changes.")
	fmt.Printf("\nDone in %s. make quickstart-down removes everything.\n", time.Since(began).Round(time.Second))
	return nil
}

// down removes whatever there is, and trusts only what it then finds.
func down(ctx context.Context) error {
	if _, err := testlab.Attach(labName); err == nil {
		destroy(ctx)
	}
	step("The lab goes")
	if err := testlab.Down(ctx, labName); err != nil {
		return err
	}
	if err := removeWork(); err != nil {
		return err
	}
	left, err := testlab.Leftovers(ctx, labName)
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
func destroy(ctx context.Context) {
	work, applied := existingWork()
	if !applied {
		return
	}
	cli, err := findCLI()
	if err == nil {
		step(cli.name() + " destroy")
		err = cli.destroy(ctx, work)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart: the destroy failed, the lab is removed with everything on it:", err)
	}
}

func step(text string) { fmt.Printf("\n=== %s\n", text) }

func progress(format string, values ...any) { fmt.Printf("    "+format+"\n", values...) }
