package replication_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/wire"
)

// reader lists a replica's tags again and again and verifies what they name.
type reader struct {
	lists, versions atomic.Int64
	fault           atomic.Value // string
	stop            chan struct{}
	done            chan struct{}
}

func read(t *testing.T, data string) *reader {
	t.Helper()
	r := &reader{stop: make(chan struct{}), done: make(chan struct{})}
	opened := storage(t, data)
	go func() {
		defer close(r.done)
		verified := map[string]bool{}
		for {
			select {
			case <-r.stop:
				return
			default:
				r.look(opened, data, verified)
			}
		}
	}()
	t.Cleanup(r.end)
	return r
}

func (r *reader) end() {
	select {
	case <-r.stop:
	default:
		close(r.stop)
	}
	<-r.done
}

func (r *reader) look(opened *registry.Storage, data string, verified map[string]bool) {
	templates, err := opened.List()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.fault.CompareAndSwap(nil, "list: "+err.Error())
	}
	r.lists.Add(1)
	for _, template := range templates {
		full, err := opened.Template(template.ID)
		if err != nil {
			continue // deleted meanwhile
		}
		for _, v := range full.Versions {
			paths := map[string]string{}
			for _, name := range v.Images {
				paths[filepath.Join("images_dir", name)] = strings.TrimSuffix(name, ".ank")
			}
			for _, name := range v.StateFiles {
				paths[filepath.Join("state_file_dir", name)] = strings.TrimSuffix(name, ".ank")
			}
			for _, name := range []string{v.ConfigFile, v.NVRAM} {
				if name == "" {
					continue
				}
				sum := sha256.Sum256([]byte(template.ID + " " + name))
				paths[filepath.Join("vm_dir", template.ID, name)] = hex.EncodeToString(sum[:])
			}
			for path, sum := range paths {
				if verified[path] {
					_, err = os.Stat(filepath.Join(data, path))
				} else {
					err = verify(filepath.Join(data, path), sum)
				}
				if err == nil {
					verified[path] = true
					continue
				}
				// Deleted meanwhile: then the tag is gone as well.
				if again, listed := opened.Template(template.ID); listed == nil && hasTag(again.Versions, v.Tag) {
					r.fault.CompareAndSwap(nil, fmt.Sprintf("tag %s of %s: %v", v.Tag, template.ID, err))
				}
			}
			r.versions.Add(1)
		}
	}
}

func verify(path, want string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
		return fmt.Errorf("%s has other content (%d bytes)", path, len(content))
	}
	return nil
}

func hasTag(versions []wire.Version, tag string) bool {
	for _, v := range versions {
		if v.Tag == tag {
			return true
		}
	}
	return false
}
