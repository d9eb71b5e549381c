package testlab

import (
	"os"
	"path/filepath"
	"testing"
)

// content returns a file's content, "" when there is none.
func content(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(raw)
}

func TestGuardServices_putsTheOldPolicyBack(t *testing.T) {
	for _, old := range []string{"", "#!/bin/sh\nexit 0\n"} {
		path := filepath.Join(t.TempDir(), "policy-rc.d")
		if old != "" {
			if err := os.WriteFile(path, []byte(old), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := guardServices(path); err != nil {
			t.Fatal(err)
		}
		if content(t, path) != policyGuard {
			t.Errorf("policy %q: no guard during the installation", old)
		}
		// A killed run does not restore; the next one must not take the guard for the user's own policy.
		restore, err := guardServices(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := restore(); err != nil {
			t.Fatal(err)
		}
		if got := content(t, path); got != old {
			t.Errorf("restored %q, want %q", got, old)
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		if want := len(old); (want == 0) != (len(entries) == 0) || len(entries) > 1 {
			t.Errorf("policy %q: %d files stay", old, len(entries))
		}
	}
}
