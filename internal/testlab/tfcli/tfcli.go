// Package tfcli runs terraform or tofu with the provider of this repository as
// a process of its own, the way a user does. It belongs to the lab: tests that
// kill terraform, read its trace log or measure it need more than a provider
// that runs inside the test.
package tfcli

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

// Find returns the terraform or tofu that TF_ACC_TERRAFORM_PATH names, else
// the first of them on PATH.
func Find() (string, error) {
	candidates := []string{"terraform", "tofu"}
	if chosen := os.Getenv("TF_ACC_TERRAFORM_PATH"); chosen != "" {
		candidates = []string{chosen}
	}
	for _, name := range candidates {
		if binary, err := exec.LookPath(name); err == nil {
			return binary, nil
		}
	}
	return "", fmt.Errorf("found no %s: install terraform or tofu, 1.11 or later, or set TF_ACC_TERRAFORM_PATH",
		strings.Join(candidates, " and no "))
}

// Repository is the root of this module.
func Repository(ctx context.Context) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/anka-ha/terraform-provider-anka").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository; run this inside of it: %w", err)
	}
	return string(bytes.TrimSpace(output)), nil
}

// BuildProvider builds the stripped provider into the folder.
func BuildProvider(ctx context.Context, folder string) error {
	repository, err := Repository(ctx)
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w",
		"-o", filepath.Join(folder, "terraform-provider-anka"), ".")
	build.Dir = repository
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the provider: %w\n%s", err, output)
	}
	return nil
}

// Workspace is a folder with a configuration and its state.
type Workspace struct {
	// Dir is the folder.
	Dir string
	// CLI is the terraform or tofu binary.
	CLI string
	// Env is added to the environment of every command.
	Env []string
}

// ConfigName is the file of a workspace with the CLI configuration.
const ConfigName = "cli.tfrc"

// New prepares the folder for the provider in the folder plugins.
func New(dir, plugins string) (*Workspace, error) {
	cli, err := Find()
	if err != nil {
		return nil, err
	}
	w := &Workspace{Dir: dir, CLI: cli}
	// A source without a host means terraform's or tofu's own registry.
	return w, w.Write(ConfigName, fmt.Sprintf(`provider_installation {
  dev_overrides {
    "registry.terraform.io/anka-ha/anka" = %[1]q
    "registry.opentofu.org/anka-ha/anka" = %[1]q
  }
}
`, plugins))
}

// Write puts a file into the folder.
func (w *Workspace) Write(name, content string) error {
	return os.WriteFile(filepath.Join(w.Dir, name), []byte(content), 0o600)
}

// Command prepares a command in the folder with nothing of the user's own
// configuration. A cancelled context interrupts it, so that state is saved.
func (w *Workspace) Command(ctx context.Context, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, w.CLI, arguments...)
	command.Dir = w.Dir
	command.Env = append(slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "TF_") || strings.HasPrefix(variable, "ANKA_") || strings.HasPrefix(variable, "DOCKER_")
	}), "TF_CLI_CONFIG_FILE="+filepath.Join(w.Dir, ConfigName), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	command.Env = append(command.Env, w.Env...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGINT) }
	command.WaitDelay = graceful
	return command
}

// Run runs a command and returns what it printed, both streams together. The
// error contains it, too.
func (w *Workspace) Run(ctx context.Context, arguments ...string) (string, error) {
	var output bytes.Buffer
	command := w.Command(ctx, arguments...)
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return output.String(), fmt.Errorf("%s %s: %w\n%s", filepath.Base(w.CLI), strings.Join(arguments, " "), err, output.String())
	}
	return output.String(), nil
}

// Apply applies without asking.
func (w *Workspace) Apply(ctx context.Context) (string, error) {
	return w.Run(ctx, "apply", "-auto-approve", "-input=false", "-no-color")
}

// Destroy destroys without asking.
func (w *Workspace) Destroy(ctx context.Context) (string, error) {
	return w.Run(ctx, "destroy", "-auto-approve", "-input=false", "-no-color")
}

// PlanIsEmpty makes a plan and tells whether there is nothing to do. The text
// is the plan.
func (w *Workspace) PlanIsEmpty(ctx context.Context) (bool, string, error) {
	output, err := w.Run(ctx, "plan", "-detailed-exitcode", "-input=false", "-no-color")
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 2 {
		return false, output, nil
	}
	return err == nil, output, err
}

// Output reads the output value of this name into the pointer.
func (w *Workspace) Output(ctx context.Context, name string, into any) error {
	raw, err := w.Command(ctx, "output", "-json", "-no-color", name).Output()
	if err != nil {
		return fmt.Errorf("output %s: %w", name, err)
	}
	return json.Unmarshal(raw, into)
}
