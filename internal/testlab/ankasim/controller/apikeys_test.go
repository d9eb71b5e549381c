package controller

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

func withKeys() settings.Environment {
	return settings.Environment{
		"ANKA_ALLOW_EMPTY_REGISTRY": "true", "ANKA_ENABLE_AUTH": "true", "ANKA_ENABLE_API_KEYS": "true",
	}
}

// newKey registers a key with the stand-in and returns its private half.
func newKey(t *testing.T, in *standIn) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(apiKey{
		ID: "ci", UserName: "builder", PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	in.must(200, "POST", "/ankasim/apikey", string(body))
	return key
}

// open does the first half and decrypts its answer.
func open(t *testing.T, in *standIn, key *rsa.PrivateKey) string {
	t.Helper()
	encrypted, err := base64.StdEncoding.DecodeString(in.must(200, "POST", "/tap/v1/hand", `{"id":"ci"}`))
	if err != nil {
		t.Fatal(err)
	}
	secret, err := rsa.DecryptOAEP(sha256.New(), nil, key, encrypted, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(secret)
}

func TestAPIKey_handshakeOverTwoControllers(t *testing.T) {
	store := newMemoryStore()
	first, second := start(t, store, withKeys()), start(t, store, withKeys())
	key := newKey(t, first)
	secret := open(t, first, key)
	shake := `{"id":"ci","secret":"` + secret + `"}`
	var answer struct {
		ID   string
		Data json.RawMessage
	}
	if err := json.Unmarshal([]byte(second.must(200, "POST", "/tap/v1/shake", shake)), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.ID != "ci" || !strings.Contains(string(answer.Data), `"userName":"builder"`) {
		t.Errorf("shake: %+v", answer)
	}
	second.must(401, "POST", "/tap/v1/shake", shake)

	bearer := "Authorization: Bearer " + base64.StdEncoding.EncodeToString(answer.Data)
	first.must(200, "GET", "/api/v1/status", "", bearer)
	second.must(200, "GET", "/api/v1/node", "", bearer)
	first.now = first.now.Add(5*time.Minute + time.Second)
	first.must(401, "GET", "/api/v1/status", "", bearer)
	if len(store.values[Sessions]) != 0 {
		t.Error("the expired session is still stored")
	}
	for kind, values := range store.values {
		for id, value := range values {
			if strings.Contains(string(value), secret) {
				t.Errorf("%s %s holds the secret", kind, id)
			}
		}
	}
}

func TestAPIKey_sessionTTL(t *testing.T) {
	env := withKeys()
	env["ANKA_API_KEYS_SESSION_TTL"] = "1m"
	in := start(t, newMemoryStore(), env)
	key := newKey(t, in)
	shake := func(wait time.Duration) (int, string) {
		secret := open(t, in, key)
		in.now = in.now.Add(wait)
		return in.do("POST", "/tap/v1/shake", `{"id":"ci","secret":"`+secret+`"}`)
	}
	if code, body := shake(handshakeWindow + time.Second); code != 401 {
		t.Errorf("shake after the window: %d %s", code, body)
	}
	code, body := shake(handshakeWindow - time.Second)
	var answer struct{ Data json.RawMessage }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != 200 {
		t.Fatalf("shake within the window: %d %s %v", code, body, err)
	}
	bearer := "Authorization: Bearer " + base64.StdEncoding.EncodeToString(answer.Data)
	in.now = in.now.Add(59 * time.Second)
	in.must(200, "GET", "/api/v1/status", "", bearer)
	in.now = in.now.Add(2 * time.Second)
	in.must(401, "GET", "/api/v1/status", "", bearer)
	// A new handshake opens the door again.
	if code, body := shake(0); code != 200 {
		t.Errorf("after the session: %d %s", code, body)
	}
}

func TestAPIKey_refusals(t *testing.T) {
	const refused = `{"status":"FAIL","message":"Authentication Required"}`
	in := start(t, newMemoryStore(), withKeys())
	key := newKey(t, in)
	for name, request := range map[string][2]string{
		"unknown key":      {"/tap/v1/hand", `{"id":"other"}`},
		"not JSON":         {"/tap/v1/hand", `ci`},
		"shake, no hand":   {"/tap/v1/shake", `{"id":"ci","secret":""}`},
		"shake, other key": {"/tap/v1/shake", `{"id":"other","secret":"x"}`},
	} {
		if got := in.must(401, "POST", request[0], request[1]); got != refused {
			t.Errorf("%s: %s", name, got)
		}
	}
	// A wrong guess burns the secret.
	secret := open(t, in, key)
	in.must(401, "POST", "/tap/v1/shake", `{"id":"ci","secret":"guess"}`)
	in.must(401, "POST", "/tap/v1/shake", `{"id":"ci","secret":"`+secret+`"}`)
	// So do ten seconds.
	secret = open(t, in, key)
	in.now = in.now.Add(handshakeWindow + time.Second)
	in.must(401, "POST", "/tap/v1/shake", `{"id":"ci","secret":"`+secret+`"}`)

	for name, data := range map[string]string{
		"not base64": "%%%", "not JSON": base64.StdEncoding.EncodeToString([]byte("x")),
		"made up": base64.StdEncoding.EncodeToString([]byte(`{"userName":"builder","sessionId":"s","token":"t"}`)),
	} {
		if got := in.must(401, "GET", "/api/v1/status", "", "Authorization: Bearer "+data); got != refused {
			t.Errorf("%s: %s", name, got)
		}
	}
	off := start(t, newMemoryStore(), settings.Environment{"ANKA_ALLOW_EMPTY_REGISTRY": "true"})
	off.must(404, "POST", "/tap/v1/hand", `{"id":"ci"}`)
}
