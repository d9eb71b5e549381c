package dockerhost

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// labHost is a host of the lab over one of its transports.
func labHost(t *testing.T, lab *testlab.Lab, transport string) *Host {
	t.Helper()
	return newHost(t, labConfig(t, lab, transport))
}

func labConfig(t *testing.T, lab *testlab.Lab, transport string) Config {
	t.Helper()
	configs, err := lab.HostConfigs(transport)
	if err != nil {
		t.Fatal(err)
	}
	c := configs[lab.Hosts[0].Name]
	cfg := Config{Name: lab.Hosts[0].Name, Address: c.Address, DockerHost: c.DockerHost, Insecure: c.Insecure}
	if c.SSH != nil {
		cfg.SSH = &SSHConfig{PrivateKeyPath: c.SSH.PrivateKeyPath, KnownHostsPath: c.SSH.KnownHostsPath}
	}
	if c.TLS != nil {
		cfg.TLS = &TLSConfig{CAPath: c.TLS.CAPath, CertPath: c.TLS.CertPath, KeyPath: c.TLS.KeyPath}
	}
	return cfg
}

// etcdSpec is a service that needs no other: one etcd member.
func etcdSpec(name string, port int) container.Spec {
	return container.Spec{
		Image: testlabImage, StopGrace: 5 * time.Second, Restart: "unless-stopped",
		Command:   []string{"/usr/local/bin/etcd", "--data-dir", "/etcd-data", "--listen-client-urls", "http://0.0.0.0:2379"},
		BirthArgs: []string{"--advertise-client-urls", "http://127.0.0.1:2379"},
		Env:       map[string]string{"ETCD_NAME": name},
		Ports:     []container.Port{{HostPort: port, ContainerPort: 2379}},
		Mounts: []container.Mount{
			{Type: container.Volume, Source: "anka-test-" + name, Target: "/etcd-data"},
			{Type: container.Bind, Source: "/opt/anka-test/" + name, Target: "/bound"},
		},
		Log:   container.Log{Driver: "json-file", MaxSize: "1m", MaxFile: 2},
		Files: []container.File{{Path: "/tls/new/ca.pem", Content: []byte("certificate"), Mode: 0o600}},
	}.Owned(container.Identity{Owner: "test", Role: container.Etcd, Instance: name})
}

func TestAccHost_runsAServiceOverEveryTransport(t *testing.T) {
	lab := testlab.LabForTest(t, 1)
	for _, transport := range append([]string{"dial-stdio"}, testlab.Transports...) {
		t.Run(transport, func(t *testing.T) {
			cfg := labConfig(t, lab, strings.Replace(transport, "dial-stdio", "ssh", 1))
			if transport == "dial-stdio" {
				cfg.DockerHost = lab.Hosts[0].SSHURL(testlab.SSHPortNoSocket)
			}
			h := newHost(t, cfg)
			runService(t, h)
			if h.link != nil && h.link.stdio.Load() != (transport == "dial-stdio") {
				t.Errorf("dial-stdio in use: %t", h.link.stdio.Load())
			}
		})
	}
}

// runService takes one container through its life.
func runService(t *testing.T, h *Host) {
	t.Helper()
	// A whole life on a machine that does something else as well.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	spec := etcdSpec("m1", 12379)
	if err := h.PullImage(ctx, spec.Image); err != nil {
		t.Fatal(err)
	}
	id, err := h.CreateContainer(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.CreateContainer(ctx, spec); err != nil || again != id {
		t.Errorf("creating it again gave %q, %v, want %q", again, err, id)
	}
	for path, want := range map[string]bool{"/tls/new/ca.pem": true, "/etcd-data/member": false, "/bound": true, "/nothing/here": false} {
		if got, err := h.Exists(ctx, id, path); err != nil || got != want {
			t.Errorf("%s exists in the container that was never started: %t, %v", path, got, err)
		}
	}
	must(t, h.StartContainer(ctx, id))
	must(t, h.StartContainer(ctx, id))
	found := onlyContainer(t, h)
	if found.ID != id || found.Name != "anka-test-etcd-m1" || found.Status != container.Running || found.Hash() != spec.Hash() {
		t.Errorf("found %+v", found)
	}
	if len(found.Ports) == 0 || found.Ports[0].HostPort != 12379 || len(found.Mounts) != 2 || found.Mounts[1].Source != "anka-test-m1" {
		t.Errorf("found ports %v and mounts %v", found.Ports, found.Mounts)
	}
	askEtcd(t, h)
	second := etcdSpec("m2", 12379)
	other, err := h.CreateContainer(ctx, second)
	must(t, err)
	var taken *PortTakenError
	if err := h.StartContainer(ctx, other); !errors.As(err, &taken) || taken.Port != 12379 {
		t.Errorf("starting a second service on the port gave %v", err)
	}
	must(t, h.RemoveContainer(ctx, other))
	logs(ctx, t, h, id, "ready to serve client requests")
	must(t, h.StopContainer(ctx, id, 5*time.Second))
	must(t, h.StopContainer(ctx, id, 5*time.Second))
	must(t, h.RenameContainer(ctx, id, "anka-test-old"))
	if d, err := h.Inspect(ctx, id); err != nil || d.Status != container.Exited || d.Name != "anka-test-old" || d.FinishedAt.IsZero() {
		t.Errorf("after stop and rename: %+v, %v", d, err)
	}
	for range 2 {
		must(t, h.RemoveContainer(ctx, id))
	}
	if _, err := h.Inspect(ctx, id); !errors.Is(err, ErrNotFound) {
		t.Errorf("inspecting what is gone gave %v", err)
	}
	volumes, err := h.Volumes(ctx, container.Selector("test", container.Etcd))
	if err != nil || len(volumes) != 2 {
		t.Errorf("the volumes that must outlive their containers are %v, %v", volumes, err)
	}
	for _, v := range volumes {
		must(t, h.RemoveVolume(ctx, v.Name))
		must(t, h.RemoveVolume(ctx, v.Name))
	}
	if d, err := h.Daemon(ctx); err != nil || d.ID == "" || d.APIVersion == "" || d.OSType != "linux" {
		t.Errorf("the daemon is %+v, %v", d, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func onlyContainer(t *testing.T, h *Host) container.Found {
	t.Helper()
	all, err := h.Containers(testContext(t))
	if err != nil || len(all) != 1 {
		t.Fatalf("containers: %+v, %v", all, err)
	}
	return all[0]
}

// logs waits until a container's log has a text: the daemon writes it a moment
// after the process.
func logs(ctx context.Context, t *testing.T, h *Host, id, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		log, err := h.Logs(ctx, id, 100)
		if err == nil && strings.Contains(log, want) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the log does not say %q but %q, %v", want, log, err)
		case <-tick.C:
		}
	}
}

// askEtcd speaks to the service through the host's way to services, until it
// answers.
func askEtcd(t *testing.T, h *Host) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		answer, err := get(ctx, h, h.Address()+":12379", "/version")
		if err == nil && strings.Contains(answer, "etcdserver") {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("etcd did not answer: %q, %v", answer, err)
		case <-tick.C:
		}
	}
}

func get(ctx context.Context, h *Host, address, path string) (string, error) {
	conn, err := h.DialService(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

func TestAccHost_leavesForeignThingsAlone(t *testing.T) {
	lab := testlab.LabForTest(t, 1)
	h := labHost(t, lab, "unix")
	ctx := testContext(t)
	for _, args := range [][]string{
		{"volume", "create", "anka-test-m1"}, {"create", "--name", "anka-test-etcd-m1", testlabImage},
	} {
		if out, err := lab.Hosts[0].Docker(ctx, args...); err != nil {
			t.Fatal(out, err)
		}
	}
	var taken *NameTakenError
	if _, err := h.CreateContainer(ctx, etcdSpec("m1", 12379)); !errors.As(err, &taken) || taken.Kind != "volume" {
		t.Errorf("with a foreign volume: %v", err)
	}
	spec := etcdSpec("m1", 12379)
	spec.Mounts = nil
	spec = spec.Owned(container.Identity{Owner: "test", Role: container.Etcd, Instance: "m1"})
	if _, err := h.CreateContainer(ctx, spec); !errors.As(err, &taken) || taken.Kind != "container" {
		t.Errorf("with a foreign container: %v", err)
	}
	var notOurs *NotOursError
	if err := h.RemoveContainer(ctx, "anka-test-etcd-m1"); !errors.As(err, &notOurs) {
		t.Errorf("removing a foreign container: %v", err)
	}
	if err := h.RemoveVolume(ctx, "anka-test-m1"); !errors.As(err, &notOurs) {
		t.Errorf("removing a foreign volume: %v", err)
	}
	onlyContainer(t, h)
}
