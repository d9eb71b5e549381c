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
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// floor bootstraps an etcd cluster of three members, one per host, and changes
// it, with nothing but Docker API calls and calls to etcd: no planning, no
// second look, no state, no recovery. It is the time below which no tool can be.
type floor struct {
	network *network
	// image is what new containers run.
	image   string
	members []*floorMember
}

type floorMember struct {
	name   string
	host   *testlab.Host
	dialer *dialer
	docker *client.Client
	// containers are all that were made, the running one last.
	containers []string
}

func newFloorMember(i int, host *testlab.Host) *floorMember {
	return &floorMember{name: memberName(i), host: host}
}

// memberName is the member on the host with this index.
func memberName(i int) string { return fmt.Sprintf("etcd-%d", i+1) }

func (m *floorMember) peerURL() string { return "http://" + m.host.Address + ":2380" }

func (m *floorMember) volume() string { return "bench-floor-" + m.name }

// run bootstraps the cluster and returns when it began and how long it took
// from before the first connection until the proof. remove has to follow, also
// after an error.
func (f *floor) run(ctx context.Context) (began time.Time, took time.Duration, err error) {
	began = time.Now()
	for i, host := range f.network.lab.Hosts[:smallHosts] {
		f.members = append(f.members, newFloorMember(i, host))
	}
	first := birth{state: "new", token: rand.Text()}
	for _, phase := range []func(context.Context, *floorMember) error{
		f.connect,
		func(ctx context.Context, m *floorMember) error { return f.create(ctx, m, first) },
		f.start,
	} {
		if err := f.each(ctx, phase); err != nil {
			return began, 0, fmt.Errorf("floor: %w", err)
		}
	}
	if err := prove(ctx, f.endpoints()); err != nil {
		return began, 0, fmt.Errorf("floor: %w", err)
	}
	return began, time.Since(began), nil
}

func (f *floor) endpoints() []endpoint {
	endpoints := make([]endpoint, 0, len(f.members))
	for _, m := range f.members {
		endpoints = append(endpoints, m.endpoint())
	}
	return endpoints
}

func (m *floorMember) endpoint() endpoint {
	return endpoint{address: m.host.Address + ":2379", dial: m.dialer.service}
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
	_, err = m.docker.ImageInspect(ctx, f.image)
	return err
}

// birth is how a member comes into the world.
type birth struct {
	// state and token are what etcd is told for the case that it has no data.
	state, token string
}

// create makes a container with the settings that the provider's defaults come
// to; the daemon makes the volume with it.
func (f *floor) create(ctx context.Context, m *floorMember, b birth) error {
	var peers []string
	for _, other := range f.members {
		peers = append(peers, other.name+"="+other.peerURL())
	}
	config := &dockercontainer.Config{
		Image: f.image,
		Cmd: append([]string{
			"etcd", "--name=" + m.name, "--data-dir=/etcd-data",
			"--listen-client-urls=http://0.0.0.0:2379", "--advertise-client-urls=http://" + m.host.Address + ":2379",
			"--listen-peer-urls=http://0.0.0.0:2380", "--initial-advertise-peer-urls=" + m.peerURL(),
			"--initial-cluster=" + strings.Join(peers, ","), "--initial-cluster-state=" + b.state, "--initial-cluster-token=" + b.token,
		}, defaultFlags(f.image)...),
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
	name := fmt.Sprintf("bench-floor-%s-%d", m.name, len(m.containers))
	created, err := m.docker.ContainerCreate(ctx, config, hostConfig, nil, nil, name)
	if err != nil {
		return err
	}
	m.containers = append(m.containers, created.ID)
	return nil
}

// defaultFlags are those of the provider's defaults, from its own table: other
// flags than the provider's would compare two different clusters.
func defaultFlags(image string) []string {
	settings := etcd.Settings{Tuned: map[string]string{}}
	for _, tunable := range etcd.Tunables {
		if tunable.Default != "" {
			settings.Tuned[tunable.Attribute] = tunable.Default
		}
	}
	version, _ := etcd.VersionOfImage(image) // all images of the lab tell it
	return settings.Flags(version)
}

func (m *floorMember) running() string { return m.containers[len(m.containers)-1] }

func (f *floor) start(ctx context.Context, m *floorMember) error {
	return m.docker.ContainerStart(ctx, m.running(), dockercontainer.StartOptions{})
}

// remove deletes containers and volumes and ends the connections.
func (f *floor) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := f.each(ctx, func(ctx context.Context, m *floorMember) error {
		if m.docker == nil || len(m.containers) == 0 {
			return nil
		}
		var failed error
		for _, id := range m.containers {
			failed = errors.Join(failed, m.docker.ContainerRemove(ctx, id, dockercontainer.RemoveOptions{Force: true}))
		}
		return errors.Join(failed, m.docker.VolumeRemove(ctx, m.volume(), true))
	})
	err = errors.Join(err, f.disconnect())
	f.members = nil
	return err
}

// disconnect ends the connections to all hosts.
func (f *floor) disconnect() error {
	var failed error
	for _, m := range f.members {
		if m.docker != nil {
			failed = errors.Join(failed, m.docker.Close())
			m.docker = nil
		}
		if m.dialer != nil {
			m.dialer.close()
			m.dialer = nil
		}
	}
	return failed
}
