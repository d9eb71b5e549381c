package dockerhost

import (
	"errors"
	"path/filepath"
	"testing"
)

func wantReason(t *testing.T, err error, want Reason) {
	t.Helper()
	var unusable *UnreachableError
	if !errors.As(err, &unusable) || unusable.Reason != want {
		t.Errorf("got %v, want an UnreachableError because of %q", err, want)
	}
}

// TestUnreachable_tellsAHostThatIsThereFromOneThatIsNot: the headline of a
// warning depends on it.
func TestUnreachable_tellsAHostThatIsThereFromOneThatIsNot(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("SSH_AUTH_SOCK", "")
	server, _ := behindSSH(t)

	unknown := server.hostConfig()
	unknown.SSH.HostKey = ""
	wantReason(t, newHost(t, unknown).Connect(testContext(t)), HostKeyRefused)

	other := server.hostConfig()
	other.SSH.PrivateKey = newSSHServer(t).clientKey
	err := newHost(t, other).Connect(testContext(t))
	wantReason(t, err, LoginRefused)
	wantText(t, err, `host "h1"`, "unable to log in to")

	keyless := server.hostConfig()
	keyless.SSH.PrivateKey = ""
	wantReason(t, newHost(t, keyless).Connect(testContext(t)), LoginRefused)

	nowhere := newHost(t, Config{Name: "h1", Address: "127.0.0.1", DockerHost: "unix://" + filepath.Join(t.TempDir(), "none.sock")})
	err = nowhere.Connect(testContext(t))
	wantReason(t, err, "")
	wantText(t, err, "is unreachable")
}
