package images

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// Archive is an image in the format of `docker load`.
type Archive struct {
	Name string
	// Path is the archive in the cache directory.
	Path string
	// ID is the image ID that a daemon gives it, "sha256:…".
	ID string
}

// Build returns the archive of an image, building what the cache lacks: about 45 s for an etcd release the first time,
// a second for the stand-in. It may be called by several processes at a time. The error carries the compiler's output.
func Build(ctx context.Context, name string) (Archive, error) {
	if err := Check(name); err != nil {
		return Archive{}, err
	}
	made := recipes[name]
	cache, err := cacheDir()
	if err != nil {
		return Archive{}, err
	}
	unlock, err := lockFile(filepath.Join(cache, "build-"+filepath.Base(made.module)+".lock"))
	if err != nil {
		return Archive{}, fmt.Errorf("image %s: %w", name, err)
	}
	defer unlock()
	repository, err := tfcli.Repository(ctx)
	if err != nil {
		return Archive{}, fmt.Errorf("image %s: %w", name, err)
	}
	binary, err := buildBinary(ctx, cache, repository, made)
	if err != nil {
		return Archive{}, fmt.Errorf("image %s: %w", name, err)
	}
	archive, err := pack(cache, name, binary, made)
	if err != nil {
		return Archive{}, fmt.Errorf("image %s: %w", name, err)
	}
	return archive, nil
}

// current holds the binaries that this process has brought up to date with the repository's sources.
var current sync.Map

// buildBinary returns the path of the static binary. A nested module's binary is keyed by its sources; the stand-in's
// sources are all over this repository, so there the Go build cache is asked each time.
func buildBinary(ctx context.Context, cache, repository string, made recipe) (string, error) {
	dir := filepath.Join(repository, made.module)
	nested := made.module != "."
	key := "current"
	if nested {
		sum, err := hashDir(dir)
		if err != nil {
			return "", err
		}
		key = sum
	}
	binary := filepath.Join(cache, fmt.Sprintf("%s-%s-%s", filepath.Base(made.path), filepath.Base(made.module), key))
	if !nested {
		binary = filepath.Join(cache, filepath.Base(made.path))
		// Controller and registry are one program: asking the compiler twice costs seconds on a busy machine.
		if _, built := current.Load(binary); built {
			return binary, nil
		}
	} else if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	temporary := binary + ".new"
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", temporary, made.command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH, "GOWORK=off", "GOFLAGS=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s in %s: %w: %s", made.command, dir, err, strings.TrimSpace(string(output)))
	}
	if err := os.Rename(temporary, binary); err != nil {
		return "", err
	}
	current.Store(binary, true)
	return binary, nil
}

func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w", err)
	}
	dir := filepath.Join(base, "anka-testlab", "images")
	return dir, os.MkdirAll(dir, 0o755)
}

// hashDir hashes the files of a nested module, the compiler's version and the architecture.
func hashDir(dir string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOARCH)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(sum, "%s %d\n%s", entry.Name(), len(content), content)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil))[:16], err
}

func hashFile(path string) (string, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	return hex.EncodeToString(sum.Sum(nil)), size, err
}

// lockFile waits for an exclusive lock; the kernel drops it when the process ends.
func lockFile(path string) (func(), error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = file.Close() }, nil
}
