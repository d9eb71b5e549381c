package main

import (
	"os"
	"strings"
	"testing"
)

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
