package etcdload

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// etcdBinary takes etcd out of the lab's image, which has nothing else in it.
func etcdBinary(t *testing.T) string {
	t.Helper()
	archive, err := images.Build(t.Context(), images.Etcd35)
	must(t, err)
	file, err := os.Open(archive.Path)
	must(t, err)
	defer file.Close()
	layer, err := entry(file, func(name string) bool { return strings.HasSuffix(name, ".tar") })
	must(t, err)
	binary, err := entry(layer, func(name string) bool { return path.Base(name) == "etcd" })
	must(t, err)
	out, err := os.OpenFile(filepath.Join(t.TempDir(), "etcd"), os.O_CREATE|os.O_WRONLY, 0o700)
	must(t, err)
	_, err = io.Copy(out, binary)
	must(t, errors.Join(err, out.Close()))
	return out.Name()
}

// entry finds a file in a tar archive.
func entry(in io.Reader, wanted func(string) bool) (io.Reader, error) {
	archive := tar.NewReader(in)
	for {
		header, err := archive.Next()
		if err != nil {
			return nil, err
		}
		if header.Typeflag == tar.TypeReg && wanted(header.Name) {
			return archive, nil
		}
	}
}

// server is one member: an etcd process on loopback.
type server struct {
	url     string
	process *os.Process
}

// startCluster runs so many members until the test ends.
func startCluster(t *testing.T, size int) []server {
	t.Helper()
	binary := etcdBinary(t)
	var clients, peers, initial []string
	for i := range size {
		clients, peers = append(clients, "http://"+freeport.Address(t)), append(peers, "http://"+freeport.Address(t))
		initial = append(initial, fmt.Sprintf("m%d=%s", i, peers[i]))
	}
	var cluster []server
	for i := range size {
		command := exec.Command(binary, fmt.Sprintf("--name=m%d", i), "--data-dir="+t.TempDir(), "--log-level=error", "--unsafe-no-fsync",
			"--listen-client-urls="+clients[i], "--advertise-client-urls="+clients[i],
			"--listen-peer-urls="+peers[i], "--initial-advertise-peer-urls="+peers[i],
			"--initial-cluster="+strings.Join(initial, ","), "--initial-cluster-token="+t.Name())
		command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		must(t, command.Start())
		t.Cleanup(func() {
			_ = command.Process.Kill() // it may have been ended by the test
			_ = command.Wait()
		})
		cluster = append(cluster, server{clients[i], command.Process})
	}
	return cluster
}

func urls(cluster []server) []string {
	var all []string
	for _, s := range cluster {
		all = append(all, s.url)
	}
	return all
}

// leader finds the member that leads.
func leader(t *testing.T, cluster []server) server {
	t.Helper()
	for _, s := range cluster {
		client, err := connect(s.url)
		must(t, err)
		status, err := client.Status(t.Context(), s.url)
		must(t, errors.Join(err, client.Close()))
		if status.Leader == status.Header.MemberId {
			return s
		}
	}
	t.Fatal("no member leads")
	return server{}
}

func startWriter(t *testing.T, endpoints ...string) *Writer {
	t.Helper()
	writer, err := Start(t.Context(), Options{Endpoints: endpoints})
	must(t, err)
	t.Cleanup(func() { writer.Stop() })
	return writer
}

// until waits for a number of acknowledged writes beyond those there are.
func until(t *testing.T, w *Writer, more int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), catchUp)
	defer cancel()
	goal := w.Record().Len() + more
	must(t, eventually(ctx, func() error {
		if n := w.Record().Len(); n < goal {
			return fmt.Errorf("%d of %d writes were acknowledged", n, goal)
		}
		return nil
	}))
}

func check(t *testing.T, w *Writer, endpoints ...string) Verdict {
	t.Helper()
	verdict, err := Check(t.Context(), w.Record(), endpoints...)
	must(t, err)
	return verdict
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
