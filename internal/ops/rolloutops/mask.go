package rolloutops

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// hidden stands where a secret was.
const hidden = "(secret)"

const (
	// minLine is the length from which on a line of a secret of several lines
	// is taken for a secret of its own. Shorter ones are the ends of encoded
	// keys.
	minLine = 16
	// minSecret is the length from which on a value is hidden. Shorter ones,
	// such as a switch in env_wo, are parts of other words: hiding them makes a
	// text unreadable, and tells what they are. Attributes that are secrets take
	// none.
	minSecret = service.MinSecret
)

// mask takes secrets out of a text that is going to be shown, in the forms in
// which services print them: as they are, line by line, quoted, in JSON, in
// URLs, and in base64, as in basic authentication.
func (s *Service) mask(text string) string {
	var parts, encoded []string
	for _, secret := range s.Secrets {
		if len(strings.TrimSpace(secret)) < minSecret {
			continue
		}
		for _, whole := range []string{secret, strings.TrimSpace(secret)} {
			parts = append(parts, written(whole)...)
			encoded = append(encoded, inBase64(whole)...)
		}
		lines := strings.Split(secret, "\n")
		if len(lines) == 1 {
			continue
		}
		for _, line := range lines {
			// The first and last line of PEM are no secret.
			if line = strings.TrimSpace(line); len(line) >= minLine && !strings.HasPrefix(line, "-----") {
				parts = append(parts, written(line)...)
			}
		}
	}
	for _, part := range longestFirst(encoded) {
		text = hideEncoded(text, part)
	}
	for _, part := range longestFirst(parts) {
		text = strings.ReplaceAll(text, part, hidden)
	}
	return text
}

// longestFirst sorts, because one secret can be the beginning of another.
func longestFirst(parts []string) []string {
	slices.SortFunc(parts, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(parts)
}

// written are the forms of a secret in quoted text, JSON and URLs.
func written(secret string) []string {
	quoted, ascii := strconv.Quote(secret), strconv.QuoteToASCII(secret)
	forms := []string{secret, inner(quoted), inner(ascii), url.QueryEscape(secret), url.PathEscape(secret)}
	if escaped, err := json.Marshal(secret); err == nil {
		forms = append(forms, inner(string(escaped)))
	}
	var plain strings.Builder
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(secret) == nil {
		forms = append(forms, inner(strings.TrimSpace(plain.String())))
	}
	return forms
}

// inner takes away quotation marks.
func inner(quoted string) string { return strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`) }

// inBase64 are the characters that a secret becomes in base64, wherever it is
// in what was encoded: three bytes are four characters, so there are three ways
// to begin. Characters that depend on what is before or behind it are left out.
func inBase64(secret string) []string {
	var forms []string
	for before, skipped := range []int{0, 2, 3} {
		content := append(make([]byte, before), secret...)
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := alphabet.EncodeToString(content)
			if len(content)%3 != 0 {
				text = text[:len(text)-1]
			}
			forms = append(forms, text[skipped:])
		}
	}
	return forms
}

// hideEncoded hides all of every base64 text that contains part.
func hideEncoded(text, part string) string {
	var shown strings.Builder
	for {
		at := strings.Index(text, part)
		if at < 0 {
			return shown.String() + text
		}
		from, to := at, at+len(part)
		for from > 0 && isBase64(text[from-1]) {
			from--
		}
		for to < len(text) && isBase64(text[to]) {
			to++
		}
		for to < len(text) && text[to] == '=' {
			to++
		}
		shown.WriteString(text[:from] + hidden)
		text = text[to:]
	}
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("+/-_", c) >= 0
}

// maskedError is an error whose text has no secret.
type maskedError struct {
	error
	text string
}

// Error tells the original error without secrets.
func (e *maskedError) Error() string { return e.text }

// Unwrap gives the original error.
func (e *maskedError) Unwrap() error { return e.error }

// masked takes secrets out of what an error tells.
func (s *Service) masked(err error) error {
	if err == nil {
		return nil
	}
	if text := s.mask(err.Error()); text != err.Error() {
		return &maskedError{err, text}
	}
	return err
}
