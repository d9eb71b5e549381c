package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

const (
	// example is what is applied, relative to the repository.
	example = "examples/topologies/three-host-ha"
	// variablesFile is read by terraform without being named.
	variablesFile = "quickstart.auto.tfvars.json"
	// labFile tells which lab the state belongs to.
	labFile = "lab"
)

func (q quickstart) plugins() string { return filepath.Join(q.dir, "plugins") }

// applied returns the workspace of an earlier run, or nil when there is no
// state in it that could be destroyed.
func (q quickstart) applied() (*tfcli.Workspace, error) {
	_, err := os.Stat(filepath.Join(q.dir, "terraform.tfstate"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return tfcli.New(q.dir, q.plugins())
}

// prepare fills the working directory: provider, its configuration, example
// and variables. The state of an earlier run is kept if it is of this lab.
func (q quickstart) prepare(ctx context.Context, lab *testlab.Lab) (*tfcli.Workspace, error) {
	repository, err := tfcli.Repository(ctx)
	if err != nil {
		return nil, err
	}
	if err := forgetOtherLabs(q.dir, lab); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(q.plugins(), 0o700); err != nil {
		return nil, err
	}
	if err := tfcli.BuildProvider(ctx, q.plugins()); err != nil {
		return nil, err
	}
	if err := copyExample(filepath.Join(repository, example), q.dir); err != nil {
		return nil, err
	}
	workspace, err := tfcli.New(q.dir, q.plugins())
	if err != nil {
		return nil, err
	}
	values, err := variables(lab)
	if err != nil {
		return nil, err
	}
	return workspace, workspace.Write(variablesFile, string(values))
}

// forgetOtherLabs empties the directory unless what is in it was applied to
// this lab. Host keys are new in every lab, so they tell.
func forgetOtherLabs(dir string, lab *testlab.Lab) error {
	identity, err := lab.KnownHosts()
	if err != nil {
		return err
	}
	file := filepath.Join(dir, labFile)
	previous, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if bytes.Equal(previous, []byte(identity)) {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(identity), 0o600)
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
