package controller

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/wire"
)

// handshakeWindow is the documented time between the two halves of a handshake.
const handshakeWindow = 10 * time.Second

// apiKey is a user's key as it is stored: never the private half.
type apiKey struct {
	ID        string `json:"id"`
	UserName  string `json:"user_name"`
	PublicKey string `json:"public_key"` // PEM, PKIX
}

// challenge waits for the second half of a handshake. Like sessions it is kept
// in the store, because a load balancer may send the halves to two controllers.
type challenge struct {
	SecretHash []byte    `json:"secret_hash"`
	Expires    time.Time `json:"expires"`
}

// session is what a finished handshake leaves.
type session struct {
	TokenHash []byte    `json:"token_hash"`
	Expires   time.Time `json:"expires"`
}

// credentials is what the client keeps and sends back, base64 encoded, as its
// bearer token.
type credentials struct {
	UserName  string `json:"userName"`
	SessionID string `json:"sessionId"`
	Token     string `json:"token"`
}

// hand answers with a secret that only the owner of the private key can read.
func (c *Controller) hand(w http.ResponseWriter, r *http.Request) {
	_, key, err := c.handshake(w, r)
	if err != nil {
		c.refuse(w, "hand", err)
		return
	}
	public, err := parsePublicKey(key.PublicKey)
	if err != nil {
		c.storeFailed(w, err)
		return
	}
	secret := rand.Text()
	encrypted, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public, []byte(secret), nil)
	if err == nil {
		err = put(r.Context(), c.store, record{Challenges, key.ID, challenge{hash(secret), c.now().Add(handshakeWindow)}})
	}
	if err != nil {
		c.storeFailed(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	// The client may be gone; there is nobody left to tell.
	_, _ = w.Write([]byte(base64.StdEncoding.EncodeToString(encrypted)))
}

// shake turns the decrypted secret into a session. A secret works once.
func (c *Controller) shake(w http.ResponseWriter, r *http.Request) {
	secret, key, err := c.handshake(w, r)
	if err != nil {
		c.refuse(w, "shake", err)
		return
	}
	var asked challenge
	found, err := get(r.Context(), c.store, Challenges, key.ID, &asked)
	if err == nil && found {
		found, err = c.store.Delete(r.Context(), Challenges, key.ID)
	}
	if err != nil {
		c.storeFailed(w, err)
		return
	}
	if !found || c.now().After(asked.Expires) || subtle.ConstantTimeCompare(asked.SecretHash, hash(secret)) != 1 {
		c.refuse(w, "shake", errors.New("no open handshake with that secret"))
		return
	}
	granted := credentials{UserName: key.UserName, SessionID: newID(), Token: rand.Text()}
	opened := session{hash(granted.Token), c.now().Add(c.settings.SessionTTL)}
	if err := put(r.Context(), c.store, record{Sessions, granted.SessionID, opened}); err != nil {
		c.storeFailed(w, err)
		return
	}
	wire.Reply(w, http.StatusOK, struct {
		ID   string      `json:"id"`
		Data credentials `json:"data"`
	}{key.ID, granted})
}

// bearer accepts the session of a handshake until it expires.
func (c *Controller) bearer(r *http.Request) bool {
	encoded, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		return false
	}
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return false
	}
	var claimed credentials
	if err := json.Unmarshal(data, &claimed); err != nil || !validID(claimed.SessionID) {
		return false
	}
	var open session
	found, err = get(r.Context(), c.store, Sessions, claimed.SessionID, &open)
	if err != nil {
		c.log.Errorf("cannot check a session: %v", err)
	}
	if err != nil || !found {
		return false
	}
	if c.now().After(open.Expires) {
		if _, err := c.store.Delete(r.Context(), Sessions, claimed.SessionID); err != nil {
			c.log.Errorf("cannot remove an expired session: %v", err)
		}
		return false
	}
	return subtle.ConstantTimeCompare(open.TokenHash, hash(claimed.Token)) == 1
}

// registerKey stands for a user who makes a key in the web interface.
func (c *Controller) registerKey(w http.ResponseWriter, r *http.Request) {
	var key apiKey
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRecord)).Decode(&key)
	if err == nil && (key.ID == "" || !validID(key.ID)) {
		err = errors.New("id is empty or holds a slash")
	}
	if err == nil {
		_, err = parsePublicKey(key.PublicKey)
	}
	if err != nil {
		wire.ReplyFail(w, http.StatusBadRequest, "not the JSON of an API key: "+err.Error())
		return
	}
	c.save(w, r, record{APIKeys, key.ID, key})
}

// refuse answers like missing credentials, so that ids cannot be guessed.
func (c *Controller) refuse(w http.ResponseWriter, half string, err error) {
	c.log.Warningf("API key handshake refused at %s: %v", half, err)
	wire.ReplyUnauthorized(w)
}

// handshake reads either half and returns its secret, which only the second
// half has, and the API key it names.
func (c *Controller) handshake(w http.ResponseWriter, r *http.Request) (secret string, key apiKey, err error) {
	var request struct {
		ID     string `json:"id"`
		Secret string `json:"secret"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRecord)).Decode(&request); err != nil {
		return "", apiKey{}, fmt.Errorf("not the documented JSON: %w", err)
	}
	found, err := get(r.Context(), c.store, APIKeys, request.ID, &key)
	if err == nil && !found {
		err = errors.New("unknown API key")
	}
	return request.Secret, key, err
}

func parsePublicKey(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("public_key is not PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("public_key: %w", err)
	}
	public, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("public_key is not an RSA key")
	}
	return public, nil
}

func get(ctx context.Context, store Store, kind Kind, id string, into any) (bool, error) {
	data, found, err := store.Get(ctx, kind, id)
	if err != nil || !found {
		return false, err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("%s %s in etcd is damaged: %w", kind, id, err)
	}
	return true, nil
}

func put(ctx context.Context, store Store, rec record) error {
	data, err := json.Marshal(rec.value)
	if err != nil {
		return err
	}
	return store.Put(ctx, rec.kind, rec.id, data)
}

func hash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
