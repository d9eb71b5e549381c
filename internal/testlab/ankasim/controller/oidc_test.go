package controller

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

// login is an OpenID Connect provider with one key.
type login struct {
	t     *testing.T
	key   *rsa.PrivateKey
	url   string
	asked atomic.Int32 // discoveries
	info  map[string]any
}

func startLogin(t *testing.T) *login {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	l := &login{t: t, key: key}
	provider := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k", Algorithm: oidc.RS256}}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			l.asked.Add(1)
			// As the library's, with the endpoint it lacks.
			_ = json.NewEncoder(w).Encode(map[string]any{
				"issuer": l.url, "jwks_uri": l.url + "/keys", "userinfo_endpoint": l.url + "/me",
				"id_token_signing_alg_values_supported": []string{oidc.RS256},
			})
		case "/me":
			if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ey") {
				http.Error(w, "no token", http.StatusUnauthorized)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(l.info)
		default:
			provider.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	l.url = server.URL
	provider.SetIssuer(server.URL)
	return l
}

// token signs the claims of a good token with changes; nil removes a claim.
func (l *login) token(now time.Time, changes map[string]any) string {
	l.t.Helper()
	claims := map[string]any{
		"iss": l.url, "aud": "anka", "sub": "u1", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"name": "Ann", "groups": []string{"ci"},
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	data, err := json.Marshal(claims)
	if err != nil {
		l.t.Fatal(err)
	}
	return oidctest.SignIDToken(l.key, "k", oidc.RS256, string(data))
}

func (l *login) env(more settings.Environment) settings.Environment {
	env := settings.Environment{
		"ANKA_ALLOW_EMPTY_REGISTRY": "true", "ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": token,
		"ANKA_OIDC_PROVIDER_URL": l.url, "ANKA_OIDC_CLIENT_ID": "anka", "ANKA_OIDC_CLIENT_SECRET": "canary-of-the-client",
	}
	maps.Copy(env, more)
	return env
}

func TestOIDC_tokens(t *testing.T) {
	l, other := startLogin(t), startLogin(t)
	in := start(t, newMemoryStore(), l.env(nil))
	if l.asked.Load() != 0 {
		t.Error("the provider was asked before anybody logged in")
	}
	now := in.now
	for name, test := range map[string]struct {
		token string
		code  int
	}{
		"good":               {l.token(now, nil), 200},
		"more audiences":     {l.token(now, map[string]any{"aud": []string{"x", "anka"}}), 200},
		"no groups at all":   {l.token(now, map[string]any{"groups": []string{}}), 200},
		"another audience":   {l.token(now, map[string]any{"aud": "x"}), 401},
		"another issuer":     {l.token(now, map[string]any{"iss": other.url}), 401},
		"expired":            {l.token(now.Add(-2*time.Hour), nil), 401},
		"signed by another":  {other.token(now, map[string]any{"iss": l.url}), 401},
		"of another":         {other.token(now, nil), 401},
		"no user name":       {l.token(now, map[string]any{"name": nil}), 401},
		"empty user name":    {l.token(now, map[string]any{"name": ""}), 401},
		"no groups claim":    {l.token(now, map[string]any{"groups": nil}), 401},
		"groups as one text": {l.token(now, map[string]any{"groups": "ci"}), 401},
		"not signed":         {"eyJhbGciOiJub25lIn0.e30.", 401},
		"not a token":        {"a.b.c", 401},
	} {
		if code, body := in.do("GET", "/api/v1/status", "", "Authorization: Bearer "+test.token); code != test.code {
			t.Errorf("%s: got %d %s, want %d", name, code, body, test.code)
		}
	}
	if n := l.asked.Load(); n != 1 {
		t.Errorf("%d discoveries", n)
	}
	in.must(200, "GET", "/api/v1/status", "", "Authorization: Basic cm9vdDpjb3JyZWN0LWhvcnNlLWJhdHRlcnk=")
	log := in.log.String()
	if !strings.Contains(log, `login of "Ann", groups ["ci"]`) || strings.Contains(log, "canary-of") || strings.Contains(log, "eyJ") {
		t.Errorf("log: %s", log)
	}
}

func TestOIDC_claims(t *testing.T) {
	l := startLogin(t)
	custom := start(t, newMemoryStore(), l.env(settings.Environment{
		"ANKA_OIDC_USERNAME_CLAIM": "email", "ANKA_OIDC_GROUPS_CLAIM": "teams", "ANKA_OIDC_DISPLAY_NAME": "<Acme>",
	}))
	bearer := "Authorization: Bearer "
	custom.must(401, "GET", "/api/v1/node", "", bearer+l.token(custom.now, nil))
	custom.must(200, "GET", "/api/v1/node", "", bearer+l.token(custom.now, map[string]any{"email": "a@x", "teams": []string{"t"}}))
	if got := custom.must(200, "GET", "/", ""); !strings.Contains(got, "Login with &lt;Acme&gt;") {
		t.Errorf("login page: %s", got)
	}

	info := start(t, newMemoryStore(), l.env(settings.Environment{"ANKA_OIDC_USER_INFO": "true"}))
	bare := l.token(info.now, map[string]any{"name": nil, "groups": nil})
	l.info = map[string]any{"sub": "u1", "name": "Ann", "groups": []string{"ci"}}
	info.must(200, "GET", "/api/v1/node", "", bearer+bare)
	l.info = map[string]any{"sub": "u2", "name": "Ann", "groups": []string{"ci"}}
	info.must(401, "GET", "/api/v1/node", "", bearer+bare)
	l.info = map[string]any{"sub": "u1"}
	info.must(401, "GET", "/api/v1/node", "", bearer+l.token(info.now, nil))
}

func TestOIDC_providerDown(t *testing.T) {
	in := start(t, newMemoryStore(), (&login{url: "http://127.0.0.1:1"}).env(nil))
	in.must(200, "GET", "/readyz", "")
	in.must(401, "GET", "/api/v1/status", "", "Authorization: Bearer a.b.c")
	if !strings.Contains(in.log.String(), "ANKA_OIDC_PROVIDER_URL") {
		t.Errorf("log: %s", in.log.String())
	}
}
