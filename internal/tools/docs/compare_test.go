package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompareTellsEveryKindOfDrift(t *testing.T) {
	tests := map[string]struct {
		have, want map[string]string
		says       []string
	}{
		"equal":     {have: map[string]string{"a.md": "1\n2\n"}, want: map[string]string{"a.md": "1\n2\n"}},
		"changed":   {have: map[string]string{"a.md": "1\n2\n"}, want: map[string]string{"a.md": "1\n3\n"}, says: []string{`a.md differs: line 2 is "2"`}},
		"cut off":   {have: map[string]string{"a.md": "1"}, want: map[string]string{"a.md": "1\n2"}, says: []string{"it has 1 lines, generated are 2"}},
		"missing":   {want: map[string]string{"resources/a.md": "1"}, says: []string{"resources/a.md is missing"}},
		"left over": {have: map[string]string{"a.md": "1"}, says: []string{"a.md is not generated any more"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			have, want := filepath.Join(t.TempDir(), "have"), filepath.Join(t.TempDir(), "want")
			write(t, have, test.have)
			write(t, want, test.want)
			err := compare(have, want)
			if len(test.says) == 0 && err != nil {
				t.Fatalf("equal pages drift: %v", err)
			}
			for _, says := range test.says {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("want an error with %q, got %v", says, err)
				}
			}
		})
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
