package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// folder makes a directory with files, given as "name content".
func folder(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files...)
	return dir
}

func write(t *testing.T, dir string, files ...string) {
	t.Helper()
	for _, file := range files {
		name, content, _ := strings.Cut(file, " ")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// expect compares the files of a directory, written.json aside.
func expect(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if entry.Name() != writtenFile {
			got = append(got, entry.Name()+" "+string(content))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the directory has %q, want %q", got, want)
	}
}

func copied(t *testing.T, from, dir string, kept ...string) {
	t.Helper()
	got, err := copyExample(from, dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, kept) {
		t.Errorf("kept %q, want %q", got, kept)
	}
}

func TestCopyExample_replacesItsOwnCopies(t *testing.T) {
	dir := folder(t, "terraform.tfstate state")
	copied(t, folder(t, "main.tf one", "gone.tf one", "README.md no configuration"), dir)
	expect(t, dir, "gone.tf one", "main.tf one", "terraform.tfstate state")
	copied(t, folder(t, "main.tf two", "new.tf two"), dir)
	expect(t, dir, "main.tf two", "new.tf two", "terraform.tfstate state")
}

func TestCopyExample_keepsWhatTheUserEdited(t *testing.T) {
	dir := t.TempDir()
	copied(t, folder(t, "main.tf one", "gone.tf one"), dir)
	write(t, dir, "main.tf mine", "gone.tf mine", "extra.tf mine")
	for range 2 {
		copied(t, folder(t, "main.tf two", "other.tf two"), dir, "extra.tf", "gone.tf", "main.tf")
		expect(t, dir, "extra.tf mine", "gone.tf mine", "main.tf mine", "other.tf two")
	}
	if err := os.Remove(filepath.Join(dir, "main.tf")); err != nil {
		t.Fatal(err)
	}
	copied(t, folder(t, "main.tf two"), dir, "extra.tf", "gone.tf")
	expect(t, dir, "extra.tf mine", "gone.tf mine", "main.tf two")
}

// A directory without a record has nothing in it that is known to be ours.
func TestCopyExample_keepsWhatItDidNotWrite(t *testing.T) {
	dir := folder(t, "main.tf unknown")
	copied(t, folder(t, "main.tf one"), dir, "main.tf")
	expect(t, dir, "main.tf unknown")
}

func TestCopyExample_refusesAnEmptyOne(t *testing.T) {
	if _, err := copyExample(t.TempDir(), t.TempDir()); err == nil {
		t.Error("nothing was copied, and that was no error")
	}
}

func TestClear_keepsWhatTheUserEdited(t *testing.T) {
	dir := t.TempDir()
	copied(t, folder(t, "main.tf one", "other.tf one"), dir)
	write(t, dir, "main.tf mine", "terraform.tfstate state")
	if kept, err := clear(dir); err != nil || !slices.Equal(kept, []string{"main.tf"}) {
		t.Errorf("kept %q, %v", kept, err)
	}
	expect(t, dir, "main.tf mine")
	copied(t, folder(t, "main.tf one", "other.tf one"), dir, "main.tf")

	dir = t.TempDir()
	copied(t, folder(t, "main.tf one"), dir)
	if _, err := clear(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the directory is still there, and nothing in it was edited")
	}
}

func TestGoOn(t *testing.T) {
	text := goOn(&tfcli.Workspace{Dir: "/tmp/it's here", CLI: "/opt/tofu"}, []daemon{{"h1", "unix:///a.sock"}, {"h2", "unix:///b.sock"}})
	for _, want := range []string{
		`cd '/tmp/it'\''s here'`, "export TF_CLI_CONFIG_FILE=", "/opt/tofu plan\n", "docker -H unix:///a.sock ps   # h1\n", "docker -H unix:///b.sock rm -f anka-anka-controller-h2\n", "/opt/tofu apply\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
