package dockerhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// identity is what proves to a server who we are.
type identity struct {
	// signer is the configured private key, nil for none.
	signer ssh.Signer
	// agent says whether to ask the agent at socket.
	agent  bool
	socket string
	// fallback says to try the keys in ~/.ssh as the command ssh does,
	// because nothing was configured.
	fallback bool
}

// newIdentity reads the private key. The string names the attribute at fault.
func newIdentity(s SSHConfig) (*identity, string, error) {
	id := &identity{socket: os.Getenv("SSH_AUTH_SOCK")}
	content, field, err := oneOf(pemOrPath{s.PrivateKey, "private_key", s.PrivateKeyPath, "private_key_path"})
	if err != nil {
		return nil, field, err
	}
	if s.PrivateKey != "" || s.PrivateKeyPath != "" { // an empty file is a fault, too
		if id.signer, err = parseKey(content); err != nil {
			return nil, field, err
		}
	}
	switch {
	case s.Agent == nil:
		id.agent = id.signer == nil && id.socket != ""
		id.fallback = id.signer == nil
	case *s.Agent && id.socket == "":
		return nil, "agent", errors.New("is true, but SSH_AUTH_SOCK is not set: start an agent, or give a private key")
	default:
		id.agent = *s.Agent
		id.fallback = !*s.Agent && id.signer == nil
	}
	return id, "", nil
}

func parseKey(content string) (ssh.Signer, error) {
	// Editors and environment variables lose the last newline, without which
	// PEM is not PEM.
	signer, err := ssh.ParsePrivateKey([]byte(strings.TrimSpace(content) + "\n"))
	var encrypted *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &encrypted):
		return nil, errors.New("is encrypted with a passphrase: add it to an ssh agent and set agent = true in place of the key, or give a key without one")
	case err != nil:
		return nil, errors.New("is not a private key in PEM or OpenSSH format")
	}
	return signer, nil
}

// openIdentity is an identity for the time of one handshake.
type openIdentity struct {
	signers []ssh.Signer
	sources []string
	agent   net.Conn
}

// open loads the keys that may be offered.
func (id *identity) open(ctx context.Context) (*openIdentity, error) {
	o := &openIdentity{}
	if id.signer != nil {
		o.add("the configured private key", id.signer)
	}
	if id.agent {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "unix", id.socket)
		if err != nil {
			return nil, fmt.Errorf("the ssh agent at SSH_AUTH_SOCK cannot be reached: %w", err)
		}
		o.agent = conn
		// The agent may hang as well.
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		signers, err := agent.NewClient(conn).Signers()
		if err != nil {
			o.close()
			return nil, fmt.Errorf("the ssh agent at SSH_AUTH_SOCK does not list its keys: %w", err)
		}
		o.add("the agent's keys", signers...)
	}
	if id.fallback {
		for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
			if signer := defaultKey("~/.ssh/" + name); signer != nil {
				o.add("~/.ssh/"+name, signer)
			}
		}
	}
	if len(o.signers) == 0 {
		o.close()
		return nil, errors.New("there is no key to log in with: set private_key or private_key_path, or start an ssh agent and add a key to it")
	}
	return o, nil
}

// defaultKey gives nil for a file that is missing, unreadable or encrypted:
// nobody asked for this one.
func defaultKey(path string) ssh.Signer {
	path, err := expandHome(path)
	if err != nil {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	signer, err := parseKey(string(content))
	if err != nil {
		return nil
	}
	return signer
}

func (o *openIdentity) add(source string, signers ...ssh.Signer) {
	if len(signers) == 0 {
		return
	}
	o.signers = append(o.signers, signers...)
	o.sources = append(o.sources, source)
}

func (o *openIdentity) list() ([]ssh.Signer, error) { return o.signers, nil }

// offered tells which keys were shown to the server, by fingerprint.
func (o *openIdentity) offered() string {
	var prints []string
	for _, s := range o.signers {
		prints = append(prints, ssh.FingerprintSHA256(s.PublicKey()))
	}
	return fmt.Sprintf("%s were offered (%s)", strings.Join(o.sources, " and "), strings.Join(prints, ", "))
}

func (o *openIdentity) close() {
	if o.agent != nil {
		_ = o.agent.Close()
	}
}

// unauthenticated reports whether a handshake failed because the server took
// none of our keys; the ssh package has no type for it.
func unauthenticated(err error) bool {
	if err == nil || errors.Is(err, io.EOF) {
		return false
	}
	text := err.Error()
	return strings.Contains(text, "unable to authenticate") || strings.Contains(text, "Too many authentication failures")
}
