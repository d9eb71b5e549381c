package ankaapi

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// sessionLife is how long a session is used. Sessions end after five minutes
// by default (ANKA_API_KEYS_SESSION_TTL).
const sessionLife = 2 * time.Minute

// apiKey authenticates as a user: the service encrypts a secret for the key,
// the client proves that it could read it and gets a session for that.
type apiKey struct {
	id  string
	key *rsa.PrivateKey

	mu      sync.Mutex
	header  string
	expires time.Time
}

func newAPIKey(c Credentials) (*apiKey, error) {
	key, err := parseKey(c.APIKey)
	if err != nil {
		return nil, fmt.Errorf("the API key of anka_auth cannot be used: %w", err)
	}
	return &apiKey{id: c.APIKeyID, key: key}, nil
}

// parseKey takes PEM, or the bare base64 in which keys are handed out.
func parseKey(text string) (*rsa.PrivateKey, error) {
	var der []byte
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else {
		decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return nil, errors.New("it is neither PEM nor base64")
		}
		der = decoded
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("it is not an RSA private key")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("it is not an RSA private key")
	}
	return key, nil
}

// authorization gives the header of a session, a new one when needed.
func (k *apiKey) authorization(ctx context.Context, c *Client) (string, error) {
	return k.session(ctx, c, "")
}

// renew gives the header of another session than that of ended, which the
// service no longer accepts.
func (k *apiKey) renew(ctx context.Context, c *Client, ended string) (string, error) {
	return k.session(ctx, c, ended)
}

func (k *apiKey) session(ctx context.Context, c *Client, ended string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.header != "" && k.header != ended && time.Now().Before(k.expires) {
		return k.header, nil
	}
	k.header = ""
	secret, err := k.hand(ctx, c)
	if err != nil {
		return "", err
	}
	data, err := k.shake(ctx, c, secret)
	if err != nil {
		return "", err
	}
	k.header = "Bearer " + base64.StdEncoding.EncodeToString(escape(data))
	k.expires = time.Now().Add(sessionLife)
	return k.header, nil
}

// escape writes JSON so that it has the same base64 in the standard and in the
// URL-safe alphabet, of which the documentation names one and its example
// shows the other: in ASCII only these characters make a difference, and they
// are only found in strings.
func escape(data []byte) []byte {
	return []byte(strings.NewReplacer(">", `\u003e`, "?", `\u003f`, "~", `\u007e`, "\x7f", `\u007f`).Replace(string(data)))
}

// decodeBase64 takes either alphabet, with or without padding.
func decodeBase64(text string) ([]byte, error) {
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	return base64.RawStdEncoding.DecodeString(text)
}

func (k *apiKey) hand(ctx context.Context, c *Client) (string, error) {
	a, err := k.post(ctx, c, "/tap/v1/hand", map[string]string{"id": k.id})
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(a.body))
	var quoted string
	if json.Unmarshal(a.body, &quoted) == nil {
		text = quoted
	}
	sealed, err := decodeBase64(text)
	if err != nil {
		return "", &Error{Kind: NotAnka, URL: a.url, Detail: "the answer to the API key is not base64; check host, port and scheme of the URL"}
	}
	secret, err := rsa.DecryptOAEP(sha256.New(), nil, k.key, sealed, nil)
	if err != nil {
		return "", &Error{Kind: Unauthorized, URL: a.url, Detail: fmt.Sprintf("the private key in anka_auth is not the one of the API key %q; "+
			"give the key that was downloaded when this API key was made", k.id), Err: err}
	}
	return string(secret), nil
}

func (k *apiKey) shake(ctx context.Context, c *Client, secret string) ([]byte, error) {
	a, err := k.post(ctx, c, "/tap/v1/shake", map[string]string{"id": k.id, "secret": secret})
	if err != nil {
		return nil, err
	}
	var session struct {
		Data json.RawMessage `json:"data"`
	}
	body := a.body
	if decoded, err := decodeBase64(strings.TrimSpace(string(body))); err == nil {
		body = decoded
	}
	if json.Unmarshal(body, &session) != nil || len(session.Data) == 0 {
		return nil, &Error{Kind: NotAnka, URL: a.url, Detail: "the answer to the API key is not a session; check host, port and scheme of the URL"}
	}
	return session.Data, nil
}

// post is one half of the handshake.
func (k *apiKey) post(ctx context.Context, c *Client, path string, body map[string]string) (answer, error) {
	encoded, _ := json.Marshal(body) // strings cannot fail to encode
	a, err := c.do(ctx, http.MethodPost, path, "", encoded)
	// A page is never the answer of a service, whatever its code: it is of a
	// proxy, or of another server, and says nothing of the key.
	if err != nil || (a.code == http.StatusOK && !a.html) {
		return a, err
	}
	if !a.html && (a.code == http.StatusUnauthorized || a.code == http.StatusForbidden || a.code == http.StatusNotFound) {
		return a, &Error{Kind: Unauthorized, code: a.code, URL: a.url, Detail: fmt.Sprintf("the API key %q was refused (HTTP %d); check that the service has "+
			"a key of this ID, and that API keys are on there (ANKA_ENABLE_API_KEYS)", k.id, a.code)}
	}
	if err = c.decode(a, new(any)); err == nil {
		err = &Error{Kind: NotAnka, URL: a.url, Detail: fmt.Sprintf("the answer to the API key is HTTP %d", a.code)}
	}
	return a, err
}
