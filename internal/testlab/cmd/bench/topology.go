package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// example is the topology that is measured, relative to the repository: on
// every host an etcd member, a registry and a controller, and a data source
// for each controller.
const example = "examples/topologies/three-host-ha"

// exampleResources are its managed resources, those on which no other of them
// depends first.
var exampleResources = []string{"anka_etcd_cluster.this", "anka_registry.this", "anka_controller.this"}

// topology is the example on all hosts of a lab.
type topology struct {
	lab       *testlab.Lab
	workspace *tfcli.Workspace
}

// newTopology applies the example to all hosts of the lab.
func newTopology(ctx context.Context, s *session, lab *testlab.Lab) (*topology, error) {
	workspace, err := s.workspace("topology-" + lab.Name)
	if err != nil {
		return nil, err
	}
	repository, err := tfcli.Repository(ctx)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(repository, example, "*.tf"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := workspace.Write(filepath.Base(file), string(content)); err != nil {
			return nil, err
		}
	}
	t := &topology{lab: lab, workspace: workspace}
	network, err := accesses[0].open(s, lab)
	if err != nil {
		return nil, err
	}
	defer network.Close()
	if err := t.reach(network, nil); err != nil {
		return nil, err
	}
	began := time.Now()
	if _, err := workspace.Apply(ctx); err != nil {
		return nil, err
	}
	progress("%s applied to %d hosts in %s", example, len(lab.Hosts), time.Since(began).Round(100*time.Millisecond))
	return t, nil
}

// reach changes how the provider reaches the hosts. It has to be allowed
// without a change of any resource.
func (t *topology) reach(n *network, sockets map[string]string) error {
	hosts, err := n.hosts(sockets)
	if err != nil {
		return err
	}
	variables, err := json.MarshalIndent(map[string]any{
		"hosts": hosts,
		"images": map[string]string{
			"etcd": images.Etcd35, "controller": images.Controller, "registry": images.Registry, "replication": images.Rclone,
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	return t.workspace.Write("bench.auto.tfvars.json", string(variables))
}

// planned is what one plan took.
type planned struct {
	wall time.Duration
	// cpu is that of terraform and all its providers, without the hosts'.
	cpu time.Duration
}

// plan makes a plan. One that is not empty is an error: there is nothing to
// measure then.
func (t *topology) plan(ctx context.Context, arguments ...string) (planned, error) {
	command := t.workspace.Command(ctx, append([]string{"plan", "-detailed-exitcode", "-input=false", "-no-color"}, arguments...)...)
	began := time.Now()
	output, err := command.CombinedOutput()
	took := planned{wall: time.Since(began)}
	if err != nil {
		return took, fmt.Errorf("a plan that should find nothing to do on %d hosts: %w\n%s", len(t.lab.Hosts), err, output)
	}
	took.cpu = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	return took, nil
}
