package main

import (
	"context"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
)

// calls are numbers of API calls by method and path.
type calls map[string]int

// handshake is the ping by which client and daemon agree on a version; it
// comes once per connection to a daemon and is counted apart.
const handshake = "/_ping"

// afterHandshake is the number of all calls but pings.
func (c calls) afterHandshake() int {
	sum := 0
	for call, n := range c {
		if !strings.HasSuffix(call, " "+handshake) {
			sum += n
		}
	}
	return sum
}

// minus takes the calls of others off. Pings stay.
func (c calls) minus(others ...calls) calls {
	left := maps.Clone(c)
	for _, other := range others {
		for call, n := range other {
			if strings.HasSuffix(call, " "+handshake) {
				continue
			}
			if left[call] -= n; left[call] == 0 {
				delete(left, call)
			}
		}
	}
	return left
}

// String is like "2 GET /containers/json, 1 HEAD /_ping".
func (c calls) String() string {
	var parts []string
	for _, call := range slices.Sorted(maps.Keys(c)) {
		parts = append(parts, strconv.Itoa(c[call])+" "+call)
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

var (
	apiVersion = regexp.MustCompile(`^/v[0-9.]+/`)
	objectID   = regexp.MustCompile(`^/(containers|images|volumes)/(.+)/([a-z]+)$`)
)

// kind is the method and the path of a call without API version and names.
func kind(method, path string) string {
	path = apiVersion.ReplaceAllString(path, "/")
	return method + " " + objectID.ReplaceAllString(path, "/$1/{name}/$3")
}

// counter stands in front of the Docker daemons of a lab and counts.
type counter struct {
	mu      sync.Mutex
	byHost  map[string]calls
	servers []*http.Server
	// sockets is where it listens, for network.hosts.
	sockets map[string]string
}

// counterSocket is the name of the socket of an ssh host beside Docker's own.
const counterSocket = "bench-counter.sock"

// newCounter listens in front of every host's daemon, for ssh on a socket on
// the host. Close ends it.
func newCounter(n *network) (*counter, error) {
	c := &counter{byHost: map[string]calls{}, sockets: map[string]string{}}
	for _, host := range n.lab.Hosts {
		listener, socket, err := listen(n, host)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.sockets[host.Name] = socket
		server := &http.Server{Handler: c.handler(host.Name, host.DockerSocket()), ErrorLog: log.New(io.Discard, "", 0)}
		c.servers = append(c.servers, server)
		go func() { _ = server.Serve(listener) }() // it ends with Close
	}
	return c, nil
}

func listen(n *network, host *testlab.Host) (net.Listener, string, error) {
	if !n.ssh {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, "", err
		}
		return listener, listener.Addr().String(), nil
	}
	path := filepath.Join(socketDir(host), counterSocket)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, "", err
	}
	listener, err := net.Listen("unix", path)
	return listener, "/run/" + counterSocket, err
}

// handler counts every request and passes it on to the socket, also one that
// is upgraded to a stream.
func (c *counter) handler(host, socket string) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "docker"}) },
		Transport: &http.Transport{
			DisableCompression: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", socket)
			},
		},
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.count(host, kind(r.Method, r.URL.Path))
		proxy.ServeHTTP(w, r)
	})
}

func (c *counter) count(host, call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byHost[host] == nil {
		c.byHost[host] = calls{}
	}
	c.byHost[host][call]++
}

// take returns what was counted since the last take, by host.
func (c *counter) take() map[string]calls {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.byHost
	c.byHost = map[string]calls{}
	return taken
}

// Close ends all listeners and connections.
func (c *counter) Close() error {
	var failed error
	for _, server := range c.servers {
		failed = errors.Join(failed, server.Close())
	}
	return failed
}
