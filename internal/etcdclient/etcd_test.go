package etcdclient_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// binaries are the lab's etcd releases, by image, unpacked once.
var binaries sync.Map

// unpacked is the directory that they are in.
var unpacked = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "etcdclient-test-") })

func TestMain(m *testing.M) {
	defer func() {
		if dir, err := unpacked(); err == nil {
			_ = os.RemoveAll(dir)
		}
	}()
	// These tests wait for etcd's clocks and hardly compute. If it cannot be
	// set, they take longer.
	_ = flag.Set("test.parallel", "8")
	m.Run()
}

// etcdBinary takes etcd out of the lab's image, which has nothing else in it.
func etcdBinary(t *testing.T, image string) string {
	t.Helper()
	once, _ := binaries.LoadOrStore(image, sync.OnceValues(func() (string, error) {
		archive, err := images.Build(context.Background(), image)
		if err != nil {
			return "", err
		}
		file, err := os.Open(archive.Path)
		if err != nil {
			return "", err
		}
		defer file.Close()
		layer, err := entry(file, func(name string) bool { return strings.HasSuffix(name, ".tar") })
		if err != nil {
			return "", err
		}
		binary, err := entry(layer, func(name string) bool { return path.Base(name) == "etcd" })
		if err != nil {
			return "", err
		}
		dir, err := unpacked()
		if err != nil {
			return "", err
		}
		out, err := os.OpenFile(filepath.Join(dir, filepath.Base(archive.Path)), os.O_CREATE|os.O_WRONLY, 0o700)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(out, binary)
		return out.Name(), errors.Join(err, out.Close())
	}))
	binary, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// entry finds a file in a tar archive.
func entry(in io.Reader, wanted func(string) bool) (io.Reader, error) {
	archive := tar.NewReader(in)
	for {
		header, err := archive.Next()
		if err != nil {
			return nil, err
		}
		if wanted(header.Name) && header.Typeflag == tar.TypeReg {
			return archive, nil
		}
	}
}

// server is one member: an etcd process on loopback.
type server struct {
	name, client, peer string
	command            *exec.Cmd
	output             *safeBuffer
	ended              chan struct{}
	api                *etcdclient.Client
}

type safeBuffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

// newServer chooses a member's ports.
func newServer(t *testing.T, name string) *server {
	t.Helper()
	s := &server{name: name, client: "http://" + freeport.Address(t), peer: "http://" + freeport.Address(t)}
	api, err := etcdclient.New(s.client, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	s.api = api
	return s
}

// start runs the member until the test ends.
func (s *server) start(t *testing.T, image, state string, cluster []*server, args ...string) {
	t.Helper()
	var peers []string
	for _, m := range cluster {
		peers = append(peers, m.name+"="+m.peer)
	}
	s.command = exec.Command(etcdBinary(t, image), append([]string{
		"--name=" + s.name, "--data-dir=" + t.TempDir(), "--log-level=error", "--unsafe-no-fsync",
		"--listen-client-urls=" + s.client, "--advertise-client-urls=" + s.client,
		"--listen-peer-urls=" + s.peer, "--initial-advertise-peer-urls=" + s.peer,
		"--initial-cluster=" + strings.Join(peers, ","), "--initial-cluster-state=" + state,
		"--initial-cluster-token=" + t.Name(),
	}, args...)...)
	s.output, s.ended = &safeBuffer{}, make(chan struct{})
	s.command.Stdout, s.command.Stderr = s.output, s.output
	s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	command, ended := s.command, s.ended
	go func() {
		_ = command.Wait() // how it ended does not matter
		close(ended)
	}()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("%s:\n%s", s.name, s.output)
		}
	})
}

// kill ends the member's process.
func (s *server) kill() {
	_ = s.command.Process.Kill()
	<-s.ended
}

// startCluster runs so many members and waits until they have a leader.
func startCluster(t *testing.T, image string, size int, args ...string) []*server {
	t.Helper()
	var cluster []*server
	for i := range size {
		cluster = append(cluster, newServer(t, fmt.Sprintf("etcd-%d", i+1)))
	}
	for _, s := range cluster {
		s.start(t, image, "new", cluster, args...)
	}
	for _, s := range cluster {
		eventually(t, s.name+" follows a leader", func(ctx context.Context) error {
			return s.api.Prove(ctx, "/ready/"+s.name, "yes")
		})
	}
	return cluster
}

// eventually tries until it works.
func eventually(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		attempt, done := context.WithTimeout(ctx, 5*time.Second)
		err := try(attempt)
		done()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited until %s: %v", what, err)
		case <-tick.C:
		}
	}
}

// within is a deadline for one call.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func (s *server) status(t *testing.T) etcdclient.Status {
	t.Helper()
	status, err := s.api.Status(within(t, 5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// leader finds the member that leads, and one that does not.
func leader(t *testing.T, cluster []*server) (leads, follows *server) {
	t.Helper()
	for _, s := range cluster {
		if status := s.status(t); status.Leader == status.MemberID {
			leads = s
		} else {
			follows = s
		}
	}
	if leads == nil {
		t.Fatal("no member leads")
	}
	return leads, follows
}

func want(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got error %v, want one that is: %v", err, kind)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
