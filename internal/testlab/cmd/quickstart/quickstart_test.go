package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCopyExampleReplacesAnOlderCopy(t *testing.T) {
	from, dir := t.TempDir(), t.TempDir()
	for name, content := range map[string]string{
		filepath.Join(from, "main.tf"):          "new",
		filepath.Join(dir, "main.tf"):           "old",
		filepath.Join(dir, "gone.tf"):           "no longer part of the example",
		filepath.Join(dir, "terraform.tfstate"): "state",
		filepath.Join(from, "README.md"):        "not configuration",
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyExample(from, dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if got, want := strings.Join(names, " "), "main.tf terraform.tfstate"; got != want {
		t.Errorf("the working directory has %q, want %q", got, want)
	}
	content, err := os.ReadFile(filepath.Join(dir, "main.tf"))
	if err != nil || string(content) != "new" {
		t.Errorf("main.tf is %q (%v), want the new one", content, err)
	}
}

func TestCopyExampleRefusesAnEmptyOne(t *testing.T) {
	if err := copyExample(t.TempDir(), t.TempDir()); err == nil {
		t.Error("nothing was copied, and that was no error")
	}
}

func TestShowControllersFailsUnlessAllAreReady(t *testing.T) {
	ready := controllerStatus{Status: "Running", Ready: true}
	tests := map[string]struct {
		controllers map[string]controllerStatus
		says        string
	}{
		"all ready": {controllers: map[string]controllerStatus{"h1": ready, "h2": ready}},
		"one not":   {controllers: map[string]controllerStatus{"h1": ready, "h2": {}}, says: "not ready: h2"},
		"none":      {says: "of 0 controllers"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := showControllers(test.controllers)
			if test.says == "" && err != nil {
				t.Fatal(err)
			}
			if test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("want an error with %q, got %v", test.says, err)
			}
		})
	}
}

// Terraform drops what a variable's type does not name without a word.
func TestExampleTakesWhatTheLabHandsOut(t *testing.T) {
	content, err := os.ReadFile("../../../../" + example + "/variables.tf")
	if err != nil {
		t.Fatal(err)
	}
	for _, attribute := range []string{"address", "docker_host", "private_key_path", "known_hosts_path"} {
		if !strings.Contains(string(content), " "+attribute+" ") {
			t.Errorf("the variable hosts of the example does not name %s", attribute)
		}
	}
}
