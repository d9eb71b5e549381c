package etcdcluster_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/acctest"
)

var dialer net.Dialer

var (
	labAndTarget = acctest.Lab
	must         = acctest.Must
	docker       = acctest.Docker
)

// url is where the member on the host serves clients.
func url(lab *testlab.Lab, host string) string {
	return fmt.Sprintf("http://%s:2379", lab.Host(host).Address)
}

const testKey = "/test/key"

// put writes the test's key through the member on a host.
func put(t testing.TB, lab *testlab.Lab, host, value string) {
	t.Helper()
	client, ctx, done := connect(t, lab, host)
	defer done()
	if _, err := client.Put(ctx, testKey, value); err != nil {
		t.Fatal(err)
	}
}

// got reads the test's key through the member on a host.
func got(t testing.TB, lab *testlab.Lab, host, want string) error {
	t.Helper()
	client, ctx, done := connect(t, lab, host)
	defer done()
	read, err := client.Get(ctx, testKey)
	if err != nil {
		return err
	}
	if len(read.Kvs) != 1 || string(read.Kvs[0].Value) != want {
		return fmt.Errorf("%s at %s is %v, want %q", testKey, url(lab, host), read.Kvs, want)
	}
	return nil
}

// connect is a plain client of one member, with a deadline.
func connect(t testing.TB, lab *testlab.Lab, host string) (*clientv3.Client, context.Context, func()) {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{url(lab, host)}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	return client, ctx, func() {
		cancel()
		_ = client.Close()
	}
}
