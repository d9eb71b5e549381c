package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	dockercontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/nat"
	"golang.org/x/sync/errgroup"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// floor bootstraps an etcd cluster of one member per host with nothing but
// Docker API calls and questions to etcd: no planning, no second look, no
// state, no recovery. It is the time below which no tool can be.
type floor struct {
	network *network
	members []*floorMember
}

type floorMember struct {
	name   string
	host   *testlab.Host
	dialer *dialer
	docker *client.Client
	id     string
}

func (m *floorMember) volume() string { return "bench-floor-" + m.name }

// run bootstraps the cluster and returns when it began and how long it took
// from before the first connection until the proof. remove has to follow, also
// after an error.
func (f *floor) run(ctx context.Context) (began time.Time, took time.Duration, err error) {
	began = time.Now()
	for i, host := range f.network.lab.Hosts {
		f.members = append(f.members, &floorMember{name: fmt.Sprintf("etcd-%d", i+1), host: host})
	}
	token := rand.Text()
	for _, phase := range []func(context.Context, *floorMember) error{
		f.connect,
		func(ctx context.Context, m *floorMember) error { return f.create(ctx, m, token) },
		func(ctx context.Context, m *floorMember) error {
			return m.docker.ContainerStart(ctx, m.id, dockercontainer.StartOptions{})
		},
	} {
		if err := f.each(ctx, phase); err != nil {
			return began, 0, fmt.Errorf("floor: %w", err)
		}
	}
	endpoints := make([]endpoint, 0, len(f.members))
	for _, m := range f.members {
		endpoints = append(endpoints, endpoint{address: m.host.Address + ":2379", dial: m.dialer.service})
	}
	if err := prove(ctx, endpoints); err != nil {
		return began, 0, fmt.Errorf("floor: %w", err)
	}
	return began, time.Since(began), nil
}

func (f *floor) each(ctx context.Context, do func(context.Context, *floorMember) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, m := range f.members {
		group.Go(func() error {
			if err := do(ctx, m); err != nil {
				return fmt.Errorf("host %s: %w", m.host.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// connect logs in where that is needed and makes sure of the image.
func (f *floor) connect(ctx context.Context, m *floorMember) error {
	var err error
	if m.dialer, err = f.network.dial(ctx, m.host); err != nil {
		return err
	}
	m.docker, err = client.NewClientWithOpts(client.WithHost("unix:///var/run/docker.sock"), client.WithVersion("1.41"),
		client.WithDialContext(func(ctx context.Context, _, _ string) (net.Conn, error) { return m.dialer.docker(ctx) }))
	if err != nil {
		return err
	}
	_, err = m.docker.ImageInspect(ctx, images.Etcd35)
	return err
}

// create makes the container with the settings that the provider's defaults
// come to; the daemon makes the volume with it.
func (f *floor) create(ctx context.Context, m *floorMember, token string) error {
	var peers []string
	for _, other := range f.members {
		peers = append(peers, fmt.Sprintf("%s=http://%s:2380", other.name, other.host.Address))
	}
	config := &dockercontainer.Config{
		Image: images.Etcd35,
		Cmd: []string{
			"etcd", "--name=" + m.name, "--data-dir=/etcd-data",
			"--listen-client-urls=http://0.0.0.0:2379", "--advertise-client-urls=http://" + m.host.Address + ":2379",
			"--listen-peer-urls=http://0.0.0.0:2380", "--initial-advertise-peer-urls=http://" + m.host.Address + ":2380",
			"--auto-compaction-mode=periodic", "--auto-compaction-retention=30m", "--quota-backend-bytes=6294967296",
			"--initial-cluster=" + strings.Join(peers, ","), "--initial-cluster-state=new", "--initial-cluster-token=" + token,
		},
		ExposedPorts: nat.PortSet{"2379/tcp": {}, "2380/tcp": {}},
	}
	hostConfig := &dockercontainer.HostConfig{
		Binds: []string{m.volume() + ":/etcd-data"},
		PortBindings: nat.PortMap{
			"2379/tcp": {{HostPort: "2379"}}, "2380/tcp": {{HostPort: "2380"}},
		},
		RestartPolicy: dockercontainer.RestartPolicy{Name: dockercontainer.RestartPolicyUnlessStopped},
		LogConfig:     dockercontainer.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "10m", "max-file": "3"}},
	}
	created, err := m.docker.ContainerCreate(ctx, config, hostConfig, nil, nil, "bench-floor-"+m.name)
	m.id = created.ID
	return err
}

// remove deletes containers and volumes and ends the connections.
func (f *floor) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := f.each(ctx, func(ctx context.Context, m *floorMember) error {
		if m.docker == nil || m.id == "" {
			return nil
		}
		return errors.Join(m.docker.ContainerRemove(ctx, m.id, dockercontainer.RemoveOptions{Force: true}),
			m.docker.VolumeRemove(ctx, m.volume(), true))
	})
	for _, m := range f.members {
		if m.docker != nil {
			err = errors.Join(err, m.docker.Close())
		}
		if m.dialer != nil {
			m.dialer.close()
		}
	}
	f.members = nil
	return err
}
