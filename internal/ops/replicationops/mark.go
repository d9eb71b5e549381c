package replicationops

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// markLimit is ample for an ID.
const markLimit = 4 << 10

var markPath = path.Join(registry.BasePath, replication.Sentinel)

// ReadMarks looks at the storages through the registries' containers, which
// need not run: by host the ID of a container. The registries' own directories,
// given relative to the storage, do not count as data as long as there is no
// file in them.
func ReadMarks(ctx context.Context, fleet *dockerhost.Fleet, containers map[string]string, directories []string) (map[string]registry.Mark, error) {
	marks := map[string]registry.Mark{}
	var mu sync.Mutex
	err := survey.Each(ctx, names(containers), func(ctx context.Context, name string) error {
		mark, err := readMark(ctx, fleet, storage{name, containers[name], directories})
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			marks[name] = mark
		}
		return err
	})
	return marks, err
}

// storage is that of the registry with the container id on host.
type storage struct {
	host, id    string
	directories []string
}

func readMark(ctx context.Context, fleet *dockerhost.Fleet, of storage) (registry.Mark, error) {
	host, err := fleet.Host(of.host)
	if err != nil {
		return registry.Mark{}, err
	}
	content, err := host.ReadFile(ctx, of.id, markPath, markLimit)
	if err == nil {
		first, _, _ := strings.Cut(string(content), "\n")
		if first = strings.TrimSpace(first); first == "" {
			err = fmt.Errorf("host %q: the file %s of the storage is empty. Remove it if it was left behind when the disk was full, and apply again", of.host, replication.Sentinel)
		}
		return registry.Mark{ID: first}, err
	}
	if !errors.Is(err, dockerhost.ErrNotFound) {
		return registry.Mark{}, err
	}
	mark := registry.Mark{}
	for _, dir := range of.directories {
		filled, err := host.HasFiles(ctx, of.id, path.Join(registry.BasePath, dir))
		if err != nil && !errors.Is(err, dockerhost.ErrNotFound) {
			return mark, err
		}
		mark.Filled = mark.Filled || filled
	}
	return mark, nil
}

// NewMark is a marker file to be written.
type NewMark struct {
	// ID is the registry's.
	ID string
	// First is the host that gets it before the others.
	First string
}

// WriteMarks writes the marker file into storages, see [ReadMarks]. That of
// [NewMark.First] comes before all others, so that an interruption never leaves others
// with the file and the primary without, which looks as if its disk were gone.
func WriteMarks(ctx context.Context, fleet *dockerhost.Fleet, containers map[string]string, mark NewMark) error {
	if at, has := containers[mark.First]; has && len(containers) > 1 {
		if err := WriteMarks(ctx, fleet, map[string]string{mark.First: at}, mark); err != nil {
			return err
		}
	}
	return survey.Each(ctx, names(containers), func(ctx context.Context, name string) error {
		host, err := fleet.Host(name)
		if err != nil {
			return err
		}
		return host.CopyTo(ctx, containers[name], []container.File{{Path: markPath, Content: []byte(mark.ID + "\n"), Mode: 0o644}})
	})
}

func names[V any](byHost map[string]V) []string {
	all := make([]string, 0, len(byHost))
	for name := range byHost {
		all = append(all, name)
	}
	return all
}
