package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// writtenFile remembers, by name, the hashes of the files of the example as
// they were copied, so that an edited copy can be told from an older one.
const writtenFile = "written.json"

// written are the hashes by the names of files.
type written map[string]string

func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// recall reads what was written last time, nothing when that was never.
func recall(dir string) (written, error) {
	content, err := os.ReadFile(filepath.Join(dir, writtenFile))
	if errors.Is(err, fs.ErrNotExist) {
		return written{}, nil
	}
	if err != nil {
		return nil, err
	}
	w := written{}
	if err := json.Unmarshal(content, &w); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, writtenFile), err)
	}
	return w, nil
}

func (w written) save(dir string) error {
	content, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, writtenFile), content, 0o600)
}

// edited are the names, sorted, of the configuration files in dir that are not
// as quickstart wrote them: the user's own.
func (w written) edited(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if name := filepath.Base(file); w[name] != hash(content) {
			names = append(names, name)
		}
	}
	return names, nil
}

// copyExample brings the configuration in dir up to date with the example, so
// that a file that the example no longer has is not applied either. Files that
// the user has edited or added stay, and are returned.
func copyExample(from, dir string) (kept []string, err error) {
	files, err := filepath.Glob(filepath.Join(from, "*.tf"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no configuration in %s", from)
	}
	last, err := recall(dir)
	if err != nil {
		return nil, err
	}
	mine, err := last.edited(dir)
	if err != nil {
		return nil, err
	}
	for name := range last {
		if !slices.Contains(mine, name) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	now := written{}
	for _, file := range files {
		name := filepath.Base(file)
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		now[name] = hash(content)
		if slices.Contains(mine, name) {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return nil, err
		}
	}
	if err := now.save(dir); err != nil {
		return nil, err
	}
	return now.edited(dir)
}

// clear removes the working directory but for the files that the user has
// edited, which it returns.
func clear(dir string) (kept []string, err error) {
	last, err := recall(dir)
	if err != nil {
		return nil, err
	}
	if kept, err = last.edited(dir); err != nil {
		return nil, err
	}
	if len(kept) == 0 {
		return nil, os.RemoveAll(dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if slices.Contains(kept, entry.Name()) || entry.Name() == writtenFile {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return nil, err
		}
	}
	return kept, nil
}
