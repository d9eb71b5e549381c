package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/latency"
)

// access is a way from this machine to the hosts.
type access struct {
	name string
	// ssh reaches the daemon's socket and all services through one ssh
	// connection per host; otherwise plain TCP reaches them directly.
	ssh bool
	// roundTrip is what a slow line in front of the ssh port adds.
	roundTrip time.Duration
}

// accesses are the ways that everything is measured over.
var accesses = []access{
	{name: "tcp"},
	{name: "ssh", ssh: true},
	{name: "ssh, 50 ms", ssh: true, roundTrip: 50 * time.Millisecond},
}

// network is an access to the hosts of one lab, the same for the provider and
// for what it is measured against.
type network struct {
	access
	lab *testlab.Lab
	// address is the ssh server of each host or the slow line to it.
	address map[string]string
	known   string
	lines   []*latency.Line
}

// open prepares the access to all hosts of the lab. Close ends it.
func (a access) open(s *session, lab *testlab.Lab) (*network, error) {
	n := &network{access: a, lab: lab, address: map[string]string{}}
	var known strings.Builder
	for _, host := range lab.Hosts {
		n.address[host.Name] = host.SSHAddr()
		if a.roundTrip > 0 {
			line, err := latency.New(host.SSHAddr(), a.roundTrip)
			if err != nil {
				n.Close()
				return nil, err
			}
			n.lines = append(n.lines, line)
			n.address[host.Name] = line.Address
		}
		key, err := host.HostKey()
		if err != nil {
			n.Close()
			return nil, err
		}
		name, port, err := net.SplitHostPort(n.address[host.Name])
		if err != nil {
			n.Close()
			return nil, err
		}
		if port != "22" {
			name = "[" + name + "]:" + port
		}
		fmt.Fprintf(&known, "%s %s\n", name, key)
	}
	file, err := os.CreateTemp(s.dir, "known-hosts-")
	if err != nil {
		n.Close()
		return nil, err
	}
	n.known = file.Name()
	_, err = file.WriteString(known.String())
	if failed := file.Close(); err == nil {
		err = failed
	}
	if err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// Close ends the slow lines.
func (n *network) Close() {
	for _, line := range n.lines {
		line.Close()
	}
}

// hosts is the provider's hosts map. sockets replaces the Docker endpoint of
// hosts: for ssh a path on the host, else address:port.
func (n *network) hosts(sockets map[string]string) (map[string]testlab.HostConfig, error) {
	key, err := n.lab.SSHKey()
	if err != nil {
		return nil, err
	}
	configs := map[string]testlab.HostConfig{}
	for _, host := range n.lab.Hosts {
		socket := sockets[host.Name]
		if n.ssh {
			configs[host.Name] = testlab.HostConfig{
				Address: host.Address, DockerHost: "ssh://root@" + n.address[host.Name] + socket,
				SSH: &testlab.SSHConfig{PrivateKeyPath: key.Path, KnownHostsPath: n.known},
			}
			continue
		}
		if socket == "" {
			socket = host.TCPAddr()
		}
		configs[host.Name] = testlab.HostConfig{Address: host.Address, DockerHost: "tcp://" + socket, Insecure: true}
	}
	return configs, nil
}

// dialer opens connections to a host's Docker daemon and services.
type dialer struct {
	docker  func(ctx context.Context) (net.Conn, error)
	service func(ctx context.Context, address string) (net.Conn, error)
	close   func()
}

// dial connects to a host without anything of the provider.
func (n *network) dial(ctx context.Context, host *testlab.Host) (*dialer, error) {
	direct := &net.Dialer{}
	if !n.ssh {
		return &dialer{
			docker: func(ctx context.Context) (net.Conn, error) { return direct.DialContext(ctx, "tcp", host.TCPAddr()) },
			service: func(ctx context.Context, address string) (net.Conn, error) {
				return direct.DialContext(ctx, "tcp", address)
			},
			close: func() {},
		}, nil
	}
	config, err := n.clientConfig(host)
	if err != nil {
		return nil, err
	}
	conn, err := direct.DialContext(ctx, "tcp", n.address[host.Name])
	if err != nil {
		return nil, fmt.Errorf("host %s: %w", host.Name, err)
	}
	sc, channels, requests, err := ssh.NewClientConn(conn, n.address[host.Name], config)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("log in to host %s: %w", host.Name, err)
	}
	client := ssh.NewClient(sc, channels, requests)
	return &dialer{
		docker: func(ctx context.Context) (net.Conn, error) {
			return client.DialContext(ctx, "unix", "/var/run/docker.sock")
		},
		service: func(ctx context.Context, address string) (net.Conn, error) {
			return client.DialContext(ctx, "tcp", address)
		},
		close: func() { _ = client.Close() },
	}, nil
}

func (n *network) clientConfig(host *testlab.Host) (*ssh.ClientConfig, error) {
	key, err := n.lab.SSHKey()
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey([]byte(key.PEM))
	if err != nil {
		return nil, fmt.Errorf("key of the lab: %w", err)
	}
	text, err := host.HostKey()
	if err != nil {
		return nil, err
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("host key of %s: %w", host.Name, err)
	}
	return &ssh.ClientConfig{
		User: "root", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.FixedHostKey(public), HostKeyAlgorithms: []string{public.Type()},
	}, nil
}

// socketDir is where a socket must lie on this machine to be in /run of the
// host.
func socketDir(host *testlab.Host) string { return filepath.Dir(host.DockerSocket()) }
