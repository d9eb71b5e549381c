package ankaapi

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
)

// anyKey is an API key that no service knows.
func anyKey(t *testing.T) Credentials {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encoded := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return Credentials{APIKeyID: "ci", APIKey: string(encoded)}
}

// TestAPIKey_wrongURL: the handshake comes before the request, and its failure
// must not blame the key where the URL is wrong.
func TestAPIKey_wrongURL(t *testing.T) {
	const hand = "/tap/v1/hand"
	given := anyKey(t)
	for name, c := range map[string]struct {
		pages map[string]page
		kind  Kind
		text  string
	}{
		"page":             {map[string]page{hand: {200, "<html>"}}, NotAnka, "the answer (HTTP 200) is an HTML page; check host, port and scheme"},
		"login page":       {map[string]page{hand: {401, "<html>"}}, NotAnka, "refused (HTTP 401) by something that is not an Anka service"},
		"forbidden page":   {map[string]page{hand: {403, "<html>"}}, NotAnka, "refused (HTTP 403) by something that is not an Anka service"},
		"missing page":     {map[string]page{hand: {404, "<html>"}}, NotAnka, "the answer (HTTP 404) is an HTML page"},
		"balancer":         {map[string]page{hand: {503, "<html>"}}, Failed, "a proxy or load balancer"},
		"registry":         {map[string]page{"/registry/status": {200, registryRunning}}, WrongService, "the URL of a registry, not of a controller"},
		"locked registry":  {map[string]page{"/registry/status": {401, refused}}, WrongService, "the URL of a registry, not of a controller"},
		"page for any URL": {map[string]page{hand: {200, "<html>"}, "/registry/status": {200, registryRunning}}, WrongService, "the URL of a registry"},
		"something else":   {map[string]page{hand: {401, "<html>"}, "/registry/status": {401, "<html>"}}, NotAnka, "refused (HTTP 401)"},
		"JSON for any URL": {map[string]page{"/registry/status": {404, refused}}, Unauthorized, `the API key "ci" was refused (HTTP 404)`},
		// A controller without API keys, and a registry behind the same address.
		"no API keys": {map[string]page{"/api/v1/status": {401, refused}, "/registry/status": {401, refused}}, Unauthorized, "ANKA_ENABLE_API_KEYS"},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, c.pages).URL
			_, err := connect(t, Config{URL: url, Credentials: given}).Status(t.Context())
			wants(t, err, c.kind, c.text, url)
		})
	}
	_, err := connect(t, Config{URL: inprocess.Registry(t, nil), Credentials: given}).Status(t.Context())
	wants(t, err, WrongService, "the URL of a registry, not of a controller", "8089")
	_, err = connect(t, Config{URL: inprocess.Registry(t, nil), Credentials: given}).Nodes(t.Context())
	wants(t, err, WrongService, "the URL of a registry, not of a controller")
}
