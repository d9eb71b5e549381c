package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/replication"
)

// replicateBenchmark measures how registries get what the primary has.
var replicateBenchmark = benchmark{
	name:  "replicate",
	about: "replication of registries, against rsync over ssh; and a look at everything where nothing has changed",
	note: `[3] Programs and rclone as processes on loopback, without Docker. The engine flushes to disk before a layer gets its
    name; rsync does not. A look is that of a follower that has just started, which compares everything once.`,
	run: replicate,
}

// What is copied: large layers, as templates have them.
const (
	replicatedBytes  = 2 << 30
	replicatedFiles  = 4
	lookedTemplates  = 1000
	lookedLayers     = 10
	replicatedRounds = 3
)

func replicate(ctx context.Context, s *session) ([]row, error) {
	dir, err := os.MkdirTemp("", "anka-bench-replication-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	rounds := min(s.rounds, replicatedRounds)
	m, err := replication.Measure(ctx, filepath.Join(dir, "copy"), replicatedBytes, replicatedFiles, rounds)
	if err != nil {
		return nil, err
	}
	rows := []row{compared(fmt.Sprintf("replicate %d GiB in %d files [3]", replicatedBytes>>30, replicatedFiles), "loopback, TLS",
		sample(m.Follower), sample(m.Rsync)).atMost(1)}
	passes, err := replication.MeasurePass(ctx, filepath.Join(dir, "look"), lookedTemplates, lookedLayers, rounds)
	if err != nil {
		return rows, err
	}
	look := sample(passes)
	return append(rows, row{
		what: fmt.Sprintf("look at %d templates of %d layers [3]", lookedTemplates, lookedLayers), under: "loopback, nothing has changed",
		measured: look.String(), value: look.median().Seconds(), unit: "s",
	}.atMost(2)), nil
}
