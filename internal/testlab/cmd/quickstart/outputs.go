package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// outputs are those of examples/topologies/three-host-ha.
type outputs struct {
	etcdEndpoints []string
	controllers   map[string]controllerStatus
	join          string
}

type controllerStatus struct {
	URL             string `json:"url"`
	Status          string `json:"status"`
	Version         string `json:"version"`
	RegistryAddress string `json:"registry_address"`
	RegistryStatus  string `json:"registry_status"`
	Ready           bool   `json:"ready"`
}

func readOutputs(ctx context.Context, workspace *tfcli.Workspace) (outputs, error) {
	var read outputs
	for name, into := range map[string]any{
		"etcd_endpoints": &read.etcdEndpoints, "controllers": &read.controllers, "join": &read.join,
	} {
		if err := workspace.Output(ctx, name, into); err != nil {
			return outputs{}, err
		}
	}
	return read, nil
}

// shown runs a command that changes something with its output on ours, since
// it takes a while.
func shown(ctx context.Context, workspace *tfcli.Workspace, subcommand string) error {
	command := workspace.Command(ctx, subcommand, "-auto-approve", "-input=false", "-no-color")
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", cliName(workspace), subcommand, err)
	}
	return nil
}

func cliName(workspace *tfcli.Workspace) string { return filepath.Base(workspace.CLI) }
