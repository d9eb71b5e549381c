package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// clusterWorkspace is a configuration with an etcd cluster and nothing else.
type clusterWorkspace struct {
	*tfcli.Workspace
	network *network
}

func newClusterWorkspace(s *session, n *network) (*clusterWorkspace, error) {
	hosts, err := n.hosts(nil)
	if err != nil {
		return nil, err
	}
	members := map[string]any{}
	for i, host := range n.lab.Hosts {
		members[fmt.Sprintf("etcd-%d", i+1)] = map[string]any{"host": host.Name}
	}
	cluster := map[string]any{"name": "bench", "image": images.Etcd35, "members": members, "purge_data_on_destroy": true}
	config, err := json.MarshalIndent(map[string]any{
		"terraform": map[string]any{"required_providers": map[string]any{"anka": map[string]any{"source": "anka-ha/anka"}}},
		"provider":  map[string]any{"anka": map[string]any{"hosts": hosts}},
		"resource":  map[string]any{"anka_etcd_cluster": map[string]any{"this": cluster}},
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	workspace, err := s.workspace("cluster-" + slug(n.name))
	if err != nil {
		return nil, err
	}
	return &clusterWorkspace{workspace, n}, workspace.Write("main.tf.json", string(config))
}

// apply applies, checks at the members what the provider said of them, and
// destroys. Only the apply is part of the result.
func (w *clusterWorkspace) apply(ctx context.Context) (timeline, phases, error) {
	t, err := timedApply(ctx, w.Workspace)
	if err != nil {
		return t, phases{}, err
	}
	if t.completed == 0 || t.planned == 0 {
		return t, phases{}, errors.New("terraform did not tell when the plan and the resource were complete")
	}
	parts, err := phasesOf(ctx, w.network.lab, t.began, t.completed)
	if err != nil {
		return t, parts, err
	}
	if err := prove(ctx, directly(w.network.lab)); err != nil {
		return t, parts, fmt.Errorf("the provider said that the cluster has a quorum: %w", err)
	}
	_, err = w.Destroy(ctx)
	return t, parts, err
}
