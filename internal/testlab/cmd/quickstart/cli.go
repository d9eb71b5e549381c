package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// graceful is how long terraform may take to save its state when interrupted.
const graceful = 2 * time.Minute

// cli is a terraform or tofu binary.
type cli struct{ binary string }

// findCLI prefers the binary that acceptance tests are told to use.
func findCLI() (cli, error) {
	candidates := []string{"terraform", "tofu"}
	if chosen := os.Getenv("TF_ACC_TERRAFORM_PATH"); chosen != "" {
		candidates = []string{chosen}
	}
	for _, name := range candidates {
		if binary, err := exec.LookPath(name); err == nil {
			return cli{binary: binary}, nil
		}
	}
	return cli{}, fmt.Errorf("found no %s: install terraform or tofu, 1.11 or later, or set TF_ACC_TERRAFORM_PATH",
		strings.Join(candidates, " and no "))
}

func (c cli) name() string { return strings.TrimSuffix(filepath.Base(c.binary), ".exe") }

func (c cli) apply(ctx context.Context, work workDir) error {
	return c.shown(ctx, work, "apply", "-auto-approve", "-input=false", "-no-color", "-compact-warnings")
}

func (c cli) destroy(ctx context.Context, work workDir) error {
	return c.shown(ctx, work, "destroy", "-auto-approve", "-input=false", "-no-color", "-compact-warnings")
}

// proveEmptyPlan returns an error with the plan when there is anything to do.
func (c cli) proveEmptyPlan(ctx context.Context, work workDir) error {
	var output bytes.Buffer
	command := c.command(ctx, work, "plan", "-detailed-exitcode", "-input=false", "-no-color")
	command.Stdout, command.Stderr = &output, &output
	err := command.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 2 {
		return fmt.Errorf("the second plan is not empty:\n%s", output.String())
	}
	if err != nil {
		return fmt.Errorf("%s plan: %w\n%s", c.name(), err, output.String())
	}
	return nil
}

// outputs are those of examples/topologies/three-host-ha.
type outputs struct {
	EtcdEndpoints []string
	Controllers   map[string]controllerStatus
	Join          string
}

type controllerStatus struct {
	URL             string `json:"url"`
	Status          string `json:"status"`
	Version         string `json:"version"`
	RegistryAddress string `json:"registry_address"`
	RegistryStatus  string `json:"registry_status"`
	Ready           bool   `json:"ready"`
}

func (c cli) outputs(ctx context.Context, work workDir) (outputs, error) {
	command := c.command(ctx, work, "output", "-json", "-no-color")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	raw, err := command.Output()
	if err != nil {
		return outputs{}, fmt.Errorf("%s output: %w\n%s", c.name(), err, stderr.String())
	}
	var values map[string]struct {
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(raw, &values); err != nil {
		return outputs{}, fmt.Errorf("%s output: %w", c.name(), err)
	}
	var read outputs
	for name, into := range map[string]any{
		"etcd_endpoints": &read.EtcdEndpoints, "controllers": &read.Controllers, "join": &read.Join,
	} {
		if err := json.Unmarshal(values[name].Value, into); err != nil {
			return outputs{}, fmt.Errorf("output %q of %s: %w", name, work.dir, err)
		}
	}
	return read, nil
}

// shown runs the command with its output on ours.
func (c cli) shown(ctx context.Context, work workDir, arguments ...string) error {
	command := c.command(ctx, work, arguments...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", c.name(), arguments[0], err)
	}
	return nil
}

// command runs in the working directory, with the provider that was built and
// nothing of the user's own configuration.
func (c cli) command(ctx context.Context, work workDir, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, c.binary, arguments...)
	command.Dir = work.dir
	command.Env = append(slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "TF_") && !strings.HasPrefix(variable, "TF_LOG") ||
			strings.HasPrefix(variable, "ANKA_") || strings.HasPrefix(variable, "DOCKER_")
	}), "TF_CLI_CONFIG_FILE="+work.cliConfig(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	// A killed terraform would leave its state unsaved.
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGINT) }
	command.WaitDelay = graceful
	return command
}
