package testlab

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// envOwner makes this test binary the owner of a lab of that name instead of running tests: the crash tests kill it.
const envOwner = "ANKA_LAB_TEST_OWNER"

func TestMain(m *testing.M) {
	if name := os.Getenv(envOwner); name != "" {
		if _, err := Up(context.Background(), Options{Name: name, Hosts: 2, Images: []string{}}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("up")
		_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends it
		os.Exit(0)
	}
	Main(m)
}

// within returns a context that ends with the test, or when the test takes suspiciously long.
func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// runEtcd starts one etcd member per host, with their data in /opt/etcd, and waits until all are healthy. In a cluster of
// two that takes both, each reaching the other's published port from inside a container.
func runEtcd(ctx context.Context, t *testing.T, hosts ...*Host) {
	t.Helper()
	var members []string
	for _, host := range hosts {
		members = append(members, host.Name+"=http://"+host.addr(2380))
	}
	for _, host := range hosts {
		_, err := host.Docker(ctx, "run", "-d", "--name", "etcd", "--restart", "always",
			"-p", "2379:2379", "-p", "2380:2380", "-v", "/opt/etcd:/data", images.Etcd35, "/usr/local/bin/etcd",
			"--name", host.Name, "--data-dir", "/data", "--initial-cluster", strings.Join(members, ","),
			"--listen-client-urls", "http://0.0.0.0:2379", "--advertise-client-urls", clientURL(host),
			"--listen-peer-urls", "http://0.0.0.0:2380", "--initial-advertise-peer-urls", "http://"+host.addr(2380))
		must(t, err)
	}
	for _, host := range hosts {
		must(t, healthy(ctx, clientURL(host)))
	}
}

func clientURL(host *Host) string { return "http://" + host.addr(2379) }

// healthy waits until etcd says at url that it is.
func healthy(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return poll(ctx, "etcd at "+url, func() (bool, error) {
		status, err := get(ctx, url+"/health")
		return status == http.StatusOK, err
	})
}

func get(ctx context.Context, url string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// connects tries a TCP connection from one host to an address and port of another.
func connects(ctx context.Context, from *Host, to *Host, port int) error {
	_, err := from.Run(ctx, fmt.Sprintf("timeout 2 bash -c 'exec 3<>/dev/tcp/%s/%d'", to.Address, port))
	return err
}
