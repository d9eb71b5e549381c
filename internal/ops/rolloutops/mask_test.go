package rolloutops

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// TestMask: secrets are hidden in every form that a service may print them in.
func TestMask(t *testing.T) {
	key := "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7\nshort==\n-----END PRIVATE KEY-----\n"
	s := Service{Secrets: []string{"", "canary", "canary-long", key}}
	for text, want := range map[string]string{
		"login canary failed, canary!":  "login (secret) failed, (secret)!",
		"canary-long":                   "(secret)",
		"Basic cm9vdDpjYW5hcnk= denied": "Basic (secret) denied",
		key:                             "(secret)",
		`"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7\n"`: `"(secret)\n(secret)\n"`,
		"-----BEGIN PRIVATE KEY----- is no certificate":              "-----BEGIN PRIVATE KEY----- is no certificate",
		"short cm9vdDo=": "short cm9vdDo=",
	} {
		if got := s.mask(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestMask_forms: as programs quote, escape and encode them, beside whatever
// else there is.
func TestMask_forms(t *testing.T) {
	for _, secret := range []string{`pass"word\1`, "a&b<c>'d'", "schlüssel-Ω", "with space/+?", "two\nlines of it", "from a file\n"} {
		s := Service{Secrets: []string{secret}}
		trimmed := strings.TrimSpace(secret)
		inJSON, _ := json.Marshal(trimmed)
		texts := map[string]string{
			"as it is": trimmed, "quoted": fmt.Sprintf("%q", trimmed), "in ASCII": fmt.Sprintf("%+q", trimmed),
			"JSON": string(inJSON), "in a query": "?p=" + url.QueryEscape(trimmed) + "&x", "in a path": "/" + url.PathEscape(trimmed) + "/",
		}
		for _, user := range []string{"", "a", "ab", "admin", "ci-user"} {
			for _, after := range []string{"", "x", "xy"} {
				for name, alphabet := range map[string]*base64.Encoding{"std": base64.StdEncoding, "raw": base64.RawURLEncoding} {
					texts["base64 "+name+" "+user+" "+after] = alphabet.EncodeToString([]byte(user + ":" + trimmed + after))
				}
			}
		}
		for form, text := range texts {
			got := s.mask("before " + text + " after")
			if !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") || !strings.Contains(got, hidden) {
				t.Errorf("%s: %q became %q", form, text, got)
			}
			if strings.HasPrefix(form, "base64") && got != "before "+hidden+" after" {
				t.Errorf("%s: %q became %q", form, text, got)
			}
		}
	}
}

// TestMask_leavesTheTextReadable: a value of few characters is a part of other
// words.
func TestMask_leavesTheTextReadable(t *testing.T) {
	s := Service{Secrets: []string{"1", "true", " h1 \n", "canary-1"}}
	const text = "host h1: it is true that port 18089 is taken"
	if got := s.mask(text); got != text {
		t.Errorf("got %q", got)
	}
	if got := s.mask(text + " canary-1"); got != text+" "+hidden {
		t.Errorf("got %q", got)
	}
}

// TestMask_everySecretSetting: whatever a secret attribute takes is hidden.
func TestMask_everySecretSetting(t *testing.T) {
	row := service.Setting{Kind: service.KindText, Secret: true}
	for length := 1; length <= 2*minSecret; length++ {
		secret := strings.Repeat("ö", length)
		s := Service{Secrets: []string{secret}}
		if row.CheckValue(secret, nil) == nil && s.mask("login "+secret) != "login "+hidden {
			t.Errorf("a secret of %d characters is taken, and shown", length)
		}
	}
}
