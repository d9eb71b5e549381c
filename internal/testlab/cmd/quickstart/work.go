package main

import (
	"bytes"
	"context"
	"errors"
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
	kept, err := copyExample(filepath.Join(repository, example), q.dir)
	if err != nil {
		return nil, err
	}
	for _, file := range kept {
		progress("kept your %s, which is not what quickstart wrote: remove it to have that of the example", filepath.Join(q.dir, file))
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

// appliedFiles are what terraform knows of a lab.
var appliedFiles = []string{
	"terraform.tfstate", "terraform.tfstate.backup", ".terraform.tfstate.lock.info", ".terraform", ".terraform.lock.hcl",
}

// forgetOtherLabs forgets what was applied, unless it was to this lab. Host
// keys are new in every lab, so they tell. The configuration stays, since it
// may have been edited.
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
	for _, name := range appliedFiles {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(identity), 0o600)
}
