package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
)

const (
	// example is what is applied, relative to the repository.
	example = "examples/topologies/three-host-ha"
	// variablesFile is read by terraform without being named.
	variablesFile = "quickstart.auto.tfvars.json"
	// labFile tells which lab the state belongs to.
	labFile = "lab"
)

// workDir is where the example is applied, outside of the repository.
type workDir struct{ dir string }

func (w workDir) cliConfig() string { return filepath.Join(w.dir, "cli.tfrc") }
func (w workDir) plugins() string   { return filepath.Join(w.dir, "plugins") }

func workPath() (workDir, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return workDir{}, fmt.Errorf("find a place for the working directory: %w", err)
	}
	return workDir{dir: filepath.Join(cache, "anka-quickstart")}, nil
}

// existingWork reports whether there is a state that could be destroyed.
func existingWork() (workDir, bool) {
	work, err := workPath()
	if err != nil {
		return work, false
	}
	_, err = os.Stat(filepath.Join(work.dir, "terraform.tfstate"))
	return work, err == nil
}

func removeWork() error {
	work, err := workPath()
	if err != nil {
		return err
	}
	return os.RemoveAll(work.dir)
}

// prepare fills the working directory: provider, its configuration, example
// and variables. The state of an earlier run is kept if it is of this lab.
func prepare(ctx context.Context, repository string, lab *testlab.Lab) (workDir, error) {
	work, err := workPath()
	if err != nil {
		return work, err
	}
	// Host keys are new in every lab, so they tell whether it is still the same.
	known, err := lab.KnownHosts()
	if err != nil {
		return work, err
	}
	identity := []byte(known)
	previous, err := os.ReadFile(filepath.Join(work.dir, labFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return work, err
	}
	if !bytes.Equal(previous, identity) {
		if err := os.RemoveAll(work.dir); err != nil {
			return work, err
		}
	}
	if err := os.MkdirAll(work.plugins(), 0o700); err != nil {
		return work, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w",
		"-o", filepath.Join(work.plugins(), "terraform-provider-anka"), ".")
	build.Dir = repository
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return work, fmt.Errorf("build the provider: %w\n%s", err, output)
	}
	if err := copyExample(filepath.Join(repository, example), work.dir); err != nil {
		return work, err
	}
	variables, err := variables(lab)
	if err != nil {
		return work, err
	}
	for name, content := range map[string][]byte{
		work.cliConfig():                       cliConfig(work.plugins()),
		filepath.Join(work.dir, variablesFile): variables,
		filepath.Join(work.dir, labFile):       identity,
	} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return work, err
		}
	}
	return work, nil
}

// cliConfig makes terraform and tofu use the provider in plugins. The example
// names its source without a host, and each of them then means its own.
func cliConfig(plugins string) []byte {
	return fmt.Appendf(nil, `provider_installation {
  dev_overrides {
    "registry.terraform.io/anka-ha/anka" = %[1]q
    "registry.opentofu.org/anka-ha/anka" = %[1]q
  }
}
`, plugins)
}

// copyExample replaces the configuration in dir, so that a file that the
// example no longer has is not applied either.
func copyExample(from, dir string) error {
	old, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		return err
	}
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(from, "*.tf"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no configuration in %s", from)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// repositoryRoot is the module that this command belongs to.
func repositoryRoot(ctx context.Context) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}",
		"github.com/anka-ha/terraform-provider-anka").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository; run this inside of it: %w", err)
	}
	return string(bytes.TrimSpace(output)), nil
}
