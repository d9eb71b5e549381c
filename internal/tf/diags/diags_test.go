package diags

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// TestHostUnreachable_saysTheCauseFirst: whoever reads that a host is down
// goes to the host, and that is not where a key or a login is corrected.
func TestHostUnreachable_saysTheCauseFirst(t *testing.T) {
	unusable := func(reason dockerhost.Reason, err error) error {
		return fmt.Errorf("survey: %w", &dockerhost.UnreachableError{Host: "h3", Tried: "log in", Reason: reason, Err: err})
	}
	for name, c := range map[string]struct {
		err     error
		summary string
		back    bool
	}{
		"no answer":     {unusable("", errors.New("connection refused")), "Host h3 is unreachable", true},
		"unknown key":   {unusable(dockerhost.HostKeyRefused, &dockerhost.HostKeyError{}), "SSH host key of h3 is not known", false},
		"changed key":   {unusable(dockerhost.HostKeyRefused, &dockerhost.HostKeyError{Known: []string{"SHA256:x"}}), "SSH host key of h3 has changed", false},
		"revoked key":   {unusable(dockerhost.HostKeyRefused, &dockerhost.HostKeyError{Revoked: true}), "SSH host key of h3 is revoked", false},
		"expired key":   {unusable(dockerhost.HostKeyRefused, &dockerhost.HostKeyError{Err: errors.New("expired")}), "SSH host key of h3 was not accepted", false},
		"login":         {unusable(dockerhost.LoginRefused, errors.New("no")), "SSH login to host h3 was refused", false},
		"certificate":   {unusable(dockerhost.TLSRefused, errors.New("no")), "TLS with host h3 failed", false},
		"permission":    {unusable(dockerhost.SocketDenied, errors.New("no")), "No permission to use Docker on host h3", false},
		"taken out":     {&dockerhost.NoHostError{Name: "h3"}, "Host h3 is not in the provider block", false},
		"anything else": {errors.New("odd"), "Host h3 is unreachable", true},
	} {
		t.Run(name, func(t *testing.T) {
			got := HostUnreachable("h3", c.err)
			if got.Summary() != c.summary || got.Severity() != diag.SeverityWarning {
				t.Errorf("got %s %q, want the warning %q", got.Severity(), got.Summary(), c.summary)
			}
			if strings.Contains(got.Detail(), "Bring the host back") != c.back || !strings.Contains(got.Detail(), "what the state says of it is kept") {
				t.Errorf("got %s", got.Detail())
			}
		})
	}
}

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		`host "h1" is down`:      `Host "h1" is down`,
		"the port is taken":      "The port is taken",
		"http://10.0.1.4: fails": "http://10.0.1.4: fails",
		`hosts["h1"].ssh: bad`:   `hosts["h1"].ssh: bad`,
		"":                       "",
	} {
		if got := Sentence(errors.New(text)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
