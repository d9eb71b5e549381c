package testlab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"syscall"
)

// state is what a lab leaves on disk for those who find it later: another command, or the sweep after a crash.
type state struct {
	Name     string      `json:"name"`
	Subnet   string      `json:"subnet"`
	Owner    Process     `json:"owner"`
	Detached bool        `json:"detached"`
	Switch   Process     `json:"switch"`
	Hosts    []hostState `json:"hosts"`
}

// hostState is one host's part of the state. First.PID is 0 while the host is powered off.
type hostState struct {
	Name    string  `json:"name"`
	Address string  `json:"address"`
	First   Process `json:"first"`
}

// running reports whether somebody still answers for the lab: its owner, or for a detached lab its switch.
func (s state) running() bool {
	if s.Detached {
		return s.Switch.Alive()
	}
	return s.Owner.Alive()
}

func statePath(name string) string { return filepath.Join(stateDir(name), "state.json") }

// loadState reads a lab's state; the error wraps fs.ErrNotExist when there is no such lab.
func loadState(name string) (state, error) {
	var s state
	raw, err := os.ReadFile(statePath(name))
	if err != nil {
		return s, fmt.Errorf("lab %q: %w", name, err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("lab %q: read %s: %w", name, statePath(name), err)
	}
	return s, nil
}

// save replaces the state file in one step, so that a reader never sees half of it.
func (s state) save() error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(statePath(s.Name), append(raw, '\n'), 0o600)
}

// writeFile writes a file through a temporary name beside it.
func writeFile(path string, content []byte, mode fs.FileMode) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, mode); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// Names returns the names of all labs that have something on this machine's disk, running or not, sorted.
func Names() ([]string, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list labs: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() && labName.MatchString(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

// lock takes an exclusive lock that the kernel drops when this process ends, however it ends. The files stay in the
// cache directory, because removing a lock file while others wait for it would give two of them the lock.
func lock(ctx context.Context, name string) (unlock func(), err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", name, err)
	}
	dir := filepath.Join(cache, "anka-testlab", "locks")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("lock %q: %w", name, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", name, err)
	}
	err = poll(ctx, fmt.Sprintf("lock %q, held by another process", name), func() (bool, error) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		return err == nil, err
	})
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}
