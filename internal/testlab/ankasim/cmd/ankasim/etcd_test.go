package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
)

// etcdModule is the lab's module that pins the etcd server.
const etcdModule = "../../../images/etcd35"

// buildTimeout covers a first build, which compiles and may download modules.
const buildTimeout = 8 * time.Minute

// etcdBinary builds the lab's etcd once and keeps it in the user's cache. It is
// built and not embedded, because the server must stay out of the main module.
var etcdBinary = sync.OnceValues(func() (string, error) {
	sums, err := os.ReadFile(filepath.Join(etcdModule, "go.sum"))
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(sums)
	binary := filepath.Join(cache, "anka-testlab", "ankasim-etcd-"+hex.EncodeToString(digest[:8]))
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	// Under a name of its own first: another test process may build it too.
	building := binary + "." + strconv.Itoa(os.Getpid())
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", building, ".")
	build.Dir = etcdModule
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build etcd: %w\n%s", err, output)
	}
	return binary, os.Rename(building, binary)
})

// etcd is a running server with one member.
type etcd struct {
	endpoint string
	process  *process
}

// startEtcd runs etcd with scheme http or https until the test ends.
func startEtcd(t *testing.T, scheme string, args ...string) etcd {
	t.Helper()
	binary, err := etcdBinary()
	if err != nil {
		t.Fatal(err)
	}
	client, peer := scheme+"://"+freeport.Address(t), "http://"+freeport.Address(t)
	command := exec.Command(binary, append([]string{
		"--name=m", "--data-dir=" + t.TempDir(), "--log-level=warn", "--unsafe-no-fsync",
		"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=m=" + peer,
	}, args...)...)
	return etcd{endpoint: client, process: startProcess(t, command)}
}
