package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	dockercontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
)

// phases are the three parts of a bootstrap.
type phases struct {
	// start is the tool's work until the last container runs.
	start time.Duration
	// etcd is from there until the last member serves clients. No tool has a
	// part in it, and chance has a large one: a starting member asks every
	// other one for its member list, for up to a second each, and gets no
	// answer from those that listen and do not serve yet; then comes an
	// election after one to two seconds.
	etcd time.Duration
	// notice is from there until the tool has its proof.
	notice time.Duration
}

// phasesOf reads on the hosts, after the fact, when the containers of a
// cluster were started and when its members began to serve. All clocks are
// this machine's.
func phasesOf(ctx context.Context, lab *testlab.Lab, began time.Time, took time.Duration) (phases, error) {
	var started, serving time.Time
	for _, host := range lab.Hosts {
		start, serve, err := etcdOn(ctx, host)
		if err != nil {
			return phases{}, fmt.Errorf("look at etcd on host %s: %w", host.Name, err)
		}
		if start.After(started) {
			started = start
		}
		if serve.After(serving) {
			serving = serve
		}
	}
	return phases{start: started.Sub(began), etcd: serving.Sub(started), notice: began.Add(took).Sub(serving)}, nil
}

// etcdOn tells when the one container on a host was started and when etcd in
// it began to serve.
func etcdOn(ctx context.Context, host *testlab.Host) (started, serving time.Time, err error) {
	docker, err := client.NewClientWithOpts(client.WithHost(host.UnixURL()), client.WithVersion("1.41"))
	if err != nil {
		return started, serving, err
	}
	defer func() { _ = docker.Close() }()
	found, err := docker.ContainerList(ctx, dockercontainer.ListOptions{})
	if err != nil {
		return started, serving, err
	}
	if len(found) != 1 {
		return started, serving, fmt.Errorf("%d containers run there, want one", len(found))
	}
	details, err := docker.ContainerInspect(ctx, found[0].ID)
	if err != nil {
		return started, serving, err
	}
	if started, err = time.Parse(time.RFC3339Nano, details.State.StartedAt); err != nil {
		return started, serving, err
	}
	stream, err := docker.ContainerLogs(ctx, found[0].ID, dockercontainer.LogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return started, serving, err
	}
	defer func() { _ = stream.Close() }()
	var log bytes.Buffer
	if _, err := stdcopy.StdCopy(&log, &log, stream); err != nil {
		return started, serving, err
	}
	serving, err = servingSince(&log)
	return started, serving, err
}

// servingMessage is what etcd 3.5 logs when it begins to serve clients.
const servingMessage = "ready to serve client requests"

// servingSince finds the time in etcd's log.
func servingSince(log *bytes.Buffer) (time.Time, error) {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if !strings.Contains(lines.Text(), servingMessage) {
			continue
		}
		var line struct {
			Time string `json:"ts"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return time.Time{}, fmt.Errorf("etcd's log: %w", err)
		}
		return time.Parse(time.RFC3339Nano, line.Time)
	}
	if err := lines.Err(); err != nil {
		return time.Time{}, fmt.Errorf("etcd's log: %w", err)
	}
	return time.Time{}, fmt.Errorf("etcd's log does not say %q", servingMessage)
}
