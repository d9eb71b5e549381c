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
	"slices"
	"strings"
)

// cli is a terraform or tofu binary that uses the provider under work/plugins
// and nothing of the user's own configuration.
type cli struct {
	binary string
	work   string
	env    []string
}

// newCLI builds the provider and points a terraform or tofu at it.
func newCLI(ctx context.Context, root, work string) (*cli, error) {
	binary, err := findBinary()
	if err != nil {
		return nil, err
	}
	plugins := filepath.Join(work, "plugins")
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(plugins, "terraform-provider-anka"), ".")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the provider: %w\n%s", err, output)
	}
	config := filepath.Join(work, "cli.tfrc")
	overrides := "provider_installation {\n  dev_overrides {\n"
	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		for _, namespace := range []string{"hashicorp", "anka-ha"} {
			overrides += fmt.Sprintf("    %q = %q\n", host+"/"+namespace+"/anka", plugins)
		}
	}
	overrides += "  }\n}\n"
	if err := os.WriteFile(config, []byte(overrides), 0o600); err != nil {
		return nil, err
	}
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "TF_") || strings.HasPrefix(variable, "ANKA_")
	})
	env = append(env, "TF_CLI_CONFIG_FILE="+config, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	return &cli{binary: binary, work: work, env: env}, nil
}

// findBinary prefers the one that acceptance tests are told to use.
func findBinary() (string, error) {
	if binary := os.Getenv("TF_ACC_TERRAFORM_PATH"); binary != "" {
		return exec.LookPath(binary)
	}
	for _, name := range []string{"terraform", "tofu"} {
		if binary, err := exec.LookPath(name); err == nil {
			return binary, nil
		}
	}
	return "", errors.New("neither terraform nor tofu is on PATH; install one, or set TF_ACC_TERRAFORM_PATH")
}

func (c *cli) run(ctx context.Context, dir string, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, c.binary, arguments...)
	command.Dir = dir
	command.Env = c.env
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s in %s: %w\n%s%s",
			filepath.Base(c.binary), strings.Join(arguments, " "), dir, err, output, stderr.String())
	}
	return output, nil
}

func (c *cli) writeSchema(ctx context.Context, file string) error {
	dir := filepath.Join(c.work, "schema")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	source := fmt.Sprintf("terraform {\n  required_providers {\n    anka = { source = %q }\n  }\n}\n", address)
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(source), 0o600); err != nil {
		return err
	}
	schema, err := c.run(ctx, dir, "providers", "schema", "-json")
	if err != nil {
		return err
	}
	return os.WriteFile(file, schema, 0o600)
}

// validateExamples validates copies of all configuration, so that no example on
// a page can contradict the schema. The examples of the pages refer to each
// other and are validated as one configuration, each topology is one by itself.
func (c *cli) validateExamples(ctx context.Context, examples string) error {
	files := map[string][]string{} // by the directory that they are validated in
	err := filepath.WalkDir(examples, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".tf" {
			return err
		}
		dir, err := filepath.Rel(examples, filepath.Dir(name))
		if err == nil && !strings.HasPrefix(filepath.ToSlash(dir), "topologies/") {
			dir = "pages"
		}
		files[dir] = append(files[dir], name)
		return err
	})
	if err != nil {
		return err
	}
	for dir, names := range files {
		copied := filepath.Join(c.work, "examples", dir)
		if err := os.MkdirAll(copied, 0o700); err != nil {
			return err
		}
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			unique := filepath.Base(filepath.Dir(name)) + "-" + filepath.Base(name)
			if err := os.WriteFile(filepath.Join(copied, unique), content, 0o600); err != nil {
				return err
			}
		}
		if _, err := c.run(ctx, copied, "validate", "-no-color"); err != nil {
			return fmt.Errorf("examples of %s: %w", dir, err)
		}
	}
	return nil
}
