package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/wire"
)

// Authenticator reports whether a request carries valid credentials of one kind.
type Authenticator func(*http.Request) bool

// authenticators returns the accepted kinds, or nil when authentication is off.
// With authentication on and nothing configured nobody gets in.
func authenticators(auth settings.Auth, more []Authenticator) []Authenticator {
	if !auth.Enabled {
		return nil
	}
	kinds := append([]Authenticator{clientCertificate}, more...)
	if auth.RootToken != "" {
		kinds = append(kinds, rootToken(auth.RootToken))
	}
	return kinds
}

// clientCertificate relies on the TLS handshake, which verifies a certificate
// against ANKA_CA_CERT and refuses the connection when that fails.
func clientCertificate(r *http.Request) bool {
	return r.TLS != nil && len(r.TLS.VerifiedChains) > 0
}

func rootToken(token string) Authenticator {
	// Hashes have one length, so the comparison takes the same time for any input.
	want := sha256.Sum256([]byte(token))
	return func(r *http.Request) bool {
		user, password, found := r.BasicAuth()
		got := sha256.Sum256([]byte(password))
		return found && user == "root" && subtle.ConstantTimeCompare(want[:], got[:]) == 1
	}
}

func requireCredentials(kinds []Authenticator, next http.Handler) http.Handler {
	if kinds == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, valid := range kinds {
			if valid(r) {
				next.ServeHTTP(w, r)
				return
			}
		}
		wire.ReplyUnauthorized(w)
	})
}
