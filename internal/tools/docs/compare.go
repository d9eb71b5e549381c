package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// compare tells which pages of have are not those of want: it reads both and
// changes neither, so uncommitted work in the tree plays no part.
func compare(have, want string) error {
	haves, err := pages(have)
	if err != nil {
		return err
	}
	wants, err := pages(want)
	if err != nil {
		return err
	}
	var drift []string
	for name, content := range wants {
		existing, found := haves[name]
		switch {
		case !found:
			drift = append(drift, name+" is missing")
		case !bytes.Equal(existing, content):
			drift = append(drift, name+" differs: "+firstDifference(existing, content))
		}
	}
	for name := range haves {
		if _, found := wants[name]; !found {
			drift = append(drift, name+" is not generated any more")
		}
	}
	if len(drift) == 0 {
		return nil
	}
	slices.Sort(drift)
	return fmt.Errorf("docs/ has drifted from schema, templates and examples; run make generate:\n  %s",
		strings.Join(drift, "\n  "))
}

func pages(dir string) (map[string][]byte, error) {
	found := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		found[filepath.ToSlash(relative)], err = os.ReadFile(name)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	return found, err
}

func firstDifference(have, want []byte) string {
	haves, wants := strings.Split(string(have), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(haves), len(wants)) {
		if haves[i] != wants[i] {
			return fmt.Sprintf("line %d is %q, generated is %q", i+1, haves[i], wants[i])
		}
	}
	return fmt.Sprintf("it has %d lines, generated are %d", len(haves), len(wants))
}
