// Package rclone makes what the scripts of internal/topology/replication run with in tests: busybox and rclone, and
// nothing else, as in rclone's own image.
//
// Layer: test support. rclone is built from the module proxy by the nested module in build, of the release that
// replication.DefaultImage names. busybox is Debian's static one, or what [EnvBusybox] names.
package rclone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// Binary returns the path of a static rclone, which is built at the first call on a machine: 25 s and a download of 30
// MB. Called by the name flock it is that command of busybox, which Debian's lacks.
func Binary(ctx context.Context) (string, error) {
	source, err := sourceDir(ctx)
	if err != nil {
		return "", err
	}
	sum, err := hashDir(source)
	if err != nil {
		return "", fmt.Errorf("build rclone: %w", err)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("build rclone: find the cache directory: %w", err)
	}
	dir := filepath.Join(base, "anka-testlab", "rclone")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("build rclone: %w", err)
	}
	binary := filepath.Join(dir, "rclone-"+sum)
	unlock, err := lock(binary + ".lock")
	if err != nil {
		return "", fmt.Errorf("build rclone: %w", err)
	}
	defer unlock()
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", binary+".new", ".")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH, "GOWORK=off", "GOFLAGS=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build rclone in %s: %w: %s", source, err, strings.TrimSpace(string(output)))
	}
	return binary, os.Rename(binary+".new", binary)
}

// EnvBusybox names another busybox to test the scripts with, such as that of an image. Its file is called busybox.
const EnvBusybox = "ANKA_TEST_BUSYBOX"

// Busybox returns the path of a static busybox, or an error that says how to install it.
func Busybox() (string, error) {
	if path := os.Getenv(EnvBusybox); path != "" {
		return path, nil
	}
	for _, path := range []string{"/bin/busybox", "/usr/bin/busybox"} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no busybox on this machine: apt-get install busybox-static")
}

// Install fills dir with commands so that PATH=dir is all that the scripts need: every applet of busybox, rclone, and
// flock where busybox has none.
func Install(ctx context.Context, dir string) error {
	busybox, err := Busybox()
	if err != nil {
		return err
	}
	binary, err := Binary(ctx)
	if err != nil {
		return err
	}
	if output, err := exec.CommandContext(ctx, busybox, "--install", "-s", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("install busybox into %s: %w: %s", dir, err, output)
	}
	for _, name := range []string{"rclone", "flock"} {
		if err := os.Symlink(binary, filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

func sourceDir(ctx context.Context) (string, error) {
	repository, err := tfcli.Repository(ctx)
	return filepath.Join(repository, "internal", "testlab", "rclone", "build"), err
}

func hashDir(dir string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOARCH)
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(content), content)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

// lock waits for an exclusive lock; the kernel drops it when the process ends.
func lock(path string) (func(), error) {
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
