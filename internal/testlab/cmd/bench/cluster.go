package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// clusterWorkspace is a configuration with an etcd cluster and nothing else.
type clusterWorkspace struct {
	*tfcli.Workspace
	network *network
}

// newClusterWorkspace prepares the bootstrap of three members.
func newClusterWorkspace(s *session, n *network) (*clusterWorkspace, error) {
	workspace, err := s.workspace("cluster-" + n.lab.Name + "-" + slug(n.name))
	if err != nil {
		return nil, err
	}
	w := &clusterWorkspace{workspace, n}
	return w, w.cluster(smallHosts, images.Etcd35)
}

// cluster writes the configuration of a cluster with one member on each of the
// first hosts.
func (w *clusterWorkspace) cluster(size int, image string) error {
	hosts, err := w.network.hosts(nil)
	if err != nil {
		return err
	}
	members := map[string]any{}
	for i, host := range w.network.lab.Hosts[:size] {
		members[memberName(i)] = map[string]any{"host": host.Name}
	}
	cluster := map[string]any{"name": "bench", "image": image, "members": members, "purge_data_on_destroy": true}
	config, err := json.MarshalIndent(map[string]any{
		"terraform": map[string]any{"required_providers": map[string]any{"anka": map[string]any{"source": "anka-ha/anka"}}},
		"provider":  map[string]any{"anka": map[string]any{"hosts": hosts}},
		"resource":  map[string]any{"anka_etcd_cluster": map[string]any{"this": cluster}},
	}, "", "  ")
	if err != nil {
		return err
	}
	return w.Write("main.tf.json", string(config))
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
	if err := prove(ctx, directly(w.network.lab.Hosts)); err != nil {
		return t, parts, fmt.Errorf("the provider said that the cluster has a quorum: %w", err)
	}
	_, err = w.Destroy(ctx)
	return t, parts, err
}

// change bootstraps, changes, checks at the members what the provider said of
// them, and destroys. Only the change is part of the result.
func (w *clusterWorkspace) change(ctx context.Context, c change) (timeline, error) {
	var t timeline
	if err := w.cluster(smallHosts, images.Etcd35); err != nil {
		return t, err
	}
	if _, err := w.Apply(ctx); err != nil {
		return t, err
	}
	if err := settle(ctx); err != nil {
		return t, err
	}
	if err := w.cluster(c.members, c.image); err != nil {
		return t, err
	}
	t, err := timedApply(ctx, w.Workspace)
	if err != nil {
		return t, err
	}
	if t.completed == 0 || t.planned == 0 {
		return t, errors.New("terraform did not tell when the plan and the change were complete")
	}
	members := directly(w.network.lab.Hosts[:c.members])
	if err := prove(ctx, members); err != nil {
		return t, fmt.Errorf("the provider said that the cluster was changed: %w", err)
	}
	if err := runs(ctx, members, c.image); err != nil {
		return t, fmt.Errorf("the provider said that the cluster was changed: %w", err)
	}
	_, err = w.Destroy(ctx)
	return t, err
}

// runs is an error unless all members run the version of the image.
func runs(ctx context.Context, members []endpoint, image string) error {
	wanted, _ := etcd.VersionOfImage(image) // all images of the lab tell it
	for _, member := range members {
		client, err := newClient(member)
		if err != nil {
			return err
		}
		status, err := client.Status(ctx, client.Endpoints()[0])
		_ = client.Close()
		if err != nil {
			return fmt.Errorf("ask %s: %w", member.address, err)
		}
		if status.Version != wanted.String() {
			return fmt.Errorf("%s runs etcd %s, want %s", member.address, status.Version, wanted)
		}
	}
	return nil
}
