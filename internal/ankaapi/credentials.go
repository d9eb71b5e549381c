// Package ankaapi talks to the REST API of the Anka Build Cloud's controllers
// and registries. It belongs to the layer of I/O and is the only package that
// imports net/http.
package ankaapi

// Credentials are what the provider block's anka_auth gives for talking to
// controllers and registries. All of it is optional; PEM values are text.
type Credentials struct {
	// RootToken is the token of the user root, at least 10 characters.
	RootToken string
	// ClientCert and ClientKey authenticate by mutual TLS.
	ClientCert, ClientKey string
	// APIKeyID and APIKey are a user API key: its ID and private key.
	APIKeyID, APIKey string
	// CA verifies the servers; empty means the system's roots.
	CA string
}

// CheckAPIKey returns an error without the key in it when there is an API key
// that is none: not PEM or base64, or not of RSA.
func (c Credentials) CheckAPIKey() error {
	if c.APIKey == "" {
		return nil
	}
	_, err := parseKey(c.APIKey)
	return err
}
