// Command lab makes, shows and removes labs: real Docker hosts on this machine.
//
//	go run ./internal/testlab/cmd/lab up     [--name lab] [--hosts 3] [--subnet 10.77.0.0/24] [--images …]
//	go run ./internal/testlab/cmd/lab status [--name lab]   all labs without a name
//	go run ./internal/testlab/cmd/lab down   [--name lab]
//
// Layer: test support, on top of package testlab. `up` may be repeated; it leaves the lab running.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

const usage = `lab makes, shows and removes labs: real Docker hosts on this machine.

  lab up     [--name lab] [--hosts 3] [--subnet 10.77.0.0/24] [--images ...]
  lab status [--name lab]   all labs without a name
  lab down   [--name lab]   removes the lab with all data in it

lab up --help tells the flags.
`

func command(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("want up, status or down; --help tells more")
	}
	if slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		fmt.Print(usage)
		return nil
	}
	flags := flag.NewFlagSet("lab "+args[0], flag.ContinueOnError)
	name := flags.String("name", "lab", "the lab's name; several can run side by side")
	hosts := flags.Int("hosts", 3, "number of hosts")
	subnet := flags.String("subnet", "", "IPv4 /24 of the lab (default: a free one of 10.77.0.0/16)")
	wanted := flags.String("images", strings.Join(images.Default(), ","), "images to load, of "+strings.Join(images.Names(), ", "))
	flags.SetOutput(os.Stdout)
	if err := flags.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	named := false
	flags.Visit(func(f *flag.Flag) { named = named || f.Name == "name" })
	switch args[0] {
	case "up":
		list := []string{}
		if *wanted != "" {
			list = strings.Split(*wanted, ",")
		}
		return up(ctx, testlab.Options{Name: *name, Hosts: *hosts, Subnet: *subnet, Images: list})
	case "status":
		if !named {
			return statusOfAll(ctx)
		}
		return status(ctx, *name)
	case "down":
		return down(ctx, *name)
	default:
		return fmt.Errorf("%q: want up, status or down; --help tells more", args[0])
	}
}

func up(ctx context.Context, options testlab.Options) error {
	options.Detached, options.Reuse = true, true
	options.Log = func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	lab, err := testlab.Up(ctx, options)
	if err != nil {
		return err
	}
	return show(lab)
}

// show prints what a user of the lab needs.
func show(lab *testlab.Lab) error {
	fmt.Printf("lab %s: subnet %s, this machine is %s\n", lab.Name, lab.Subnet, lab.Gateway)
	for _, host := range lab.Hosts {
		state := "on"
		if !host.Running() {
			state = "off"
		}
		fmt.Printf("  %s  %-3s  %s  docker -H %s\n", host.Name, state, host.SSHURL(testlab.SSHPort), host.UnixURL())
	}
	key, err := lab.SSHKey()
	if err != nil {
		return err
	}
	fmt.Printf("  ssh -i %s root@%s\n", key.Path, lab.Hosts[0].Address)
	fmt.Println("hosts of the provider, by transport:")
	for _, transport := range testlab.Transports {
		fmt.Printf("  %s\n", lab.HostsFile(transport))
	}
	text, err := lab.HostsJSON("ssh")
	if err != nil {
		return err
	}
	fmt.Printf("export ANKA_HOSTS='%s'\n", text)
	return nil
}

func status(ctx context.Context, name string) error {
	if err := testlab.Sweep(ctx, func(format string, args ...any) { fmt.Printf(format+"\n", args...) }); err != nil {
		return err
	}
	lab, err := testlab.Attach(name)
	if errors.Is(err, os.ErrNotExist) {
		fmt.Printf("lab %s is down\n", name)
		return nil
	}
	if err != nil {
		return err
	}
	return show(lab)
}

// statusOfAll shows every lab in one line.
func statusOfAll(ctx context.Context) error {
	if err := testlab.Sweep(ctx, func(format string, args ...any) { fmt.Printf(format+"\n", args...) }); err != nil {
		return err
	}
	names, err := testlab.Names()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		fmt.Println("there is no lab; lab up makes one")
	}
	for _, name := range names {
		lab, err := testlab.Attach(name)
		if err != nil {
			fmt.Printf("lab %s: %v\n", name, err)
			continue
		}
		fmt.Printf("lab %s: subnet %s, %d hosts; lab status --name %s tells more\n", lab.Name, lab.Subnet, len(lab.Hosts), lab.Name)
	}
	return nil
}

func down(ctx context.Context, name string) error {
	if err := testlab.Down(ctx, name); err != nil {
		return err
	}
	if err := testlab.Sweep(ctx, nil); err != nil {
		return err
	}
	left, err := testlab.Leftovers(ctx, name)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("lab %s is down, but these are left: %s", name, strings.Join(left, "; "))
	}
	fmt.Printf("lab %s is down, nothing is left of it\n", name)
	return nil
}
