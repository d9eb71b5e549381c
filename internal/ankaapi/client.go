package ankaapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody is the most that is read of an answer, in bytes.
const maxBody = 4 << 20

// defaultTimeout bounds one request when Config sets no timeout.
const defaultTimeout = 10 * time.Second

// Config says how to reach one controller or registry.
type Config struct {
	// URL is scheme, host and optional port, without a trailing slash.
	URL string
	// Dial opens connections, such as through a host's ssh connection; nil
	// dials from here.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Credentials are optional.
	Credentials Credentials
	// Timeout bounds each request; 0 means 10 s.
	Timeout time.Duration
}

// Client talks to one controller or registry. It is safe for concurrent use.
type Client struct {
	cfg  Config
	base string
	http *http.Client
	key  *apiKey // nil unless a user API key is the credential
}

// New makes a client without dialling. The error is about the URL or the
// credentials; it never repeats a secret.
func New(cfg Config) (*Client, error) {
	parsed, err := url.Parse(cfg.URL)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return nil, fmt.Errorf("%q is not the http or https URL of a controller or registry", cfg.URL)
	}
	security, err := cfg.Credentials.tls()
	if err != nil {
		return nil, err
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	c := &Client{
		cfg:  cfg,
		base: strings.TrimSuffix(parsed.String(), "/"),
		http: &http.Client{
			Transport: &http.Transport{DialContext: cfg.Dial, TLSClientConfig: security, MaxIdleConns: 2, IdleConnTimeout: time.Minute},
			// A redirect means that the URL is not the service's own, and
			// must not take credentials elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if cfg.Credentials.RootToken == "" && cfg.Credentials.APIKeyID != "" {
		if c.key, err = newAPIKey(cfg.Credentials); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// tls turns the credentials into a configuration; nil leaves all to Go.
func (c Credentials) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM([]byte(c.CA)) {
			return nil, errors.New("the CA of anka_auth contains no PEM certificate")
		}
		config.RootCAs = roots
	}
	if c.ClientCert != "" || c.ClientKey != "" {
		pair, err := tls.X509KeyPair([]byte(c.ClientCert), []byte(c.ClientKey))
		if err != nil {
			return nil, fmt.Errorf("the client certificate of anka_auth cannot be used: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// answer is what a service answered, whatever its status code.
type answer struct {
	url  string
	code int
	html bool
	body []byte
}

// get asks path, with credentials when authenticated.
func (c *Client) get(ctx context.Context, path string, authenticated bool) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var header string
	if authenticated {
		var err error
		if header, err = c.authorization(ctx); err != nil {
			return answer{}, err
		}
	}
	return c.do(ctx, http.MethodGet, path, header, nil)
}

func (c *Client) authorization(ctx context.Context) (string, error) {
	switch {
	case c.cfg.Credentials.RootToken != "":
		req := &http.Request{Header: http.Header{}}
		req.SetBasicAuth("root", c.cfg.Credentials.RootToken)
		return req.Header.Get("Authorization"), nil
	case c.key != nil:
		return c.key.authorization(ctx, c)
	default:
		return "", nil
	}
}

func (c *Client) do(ctx context.Context, method, path, authorization string, body []byte) (answer, error) {
	target := c.base + path
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", target, err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, transportError(ctx, target, unwrapURL(err))
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return answer{}, transportError(ctx, target, err)
	}
	a := answer{url: target, code: resp.StatusCode, body: content}
	a.html = strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || bytes.HasPrefix(bytes.TrimSpace(content), []byte("<"))
	if a.code >= 300 && a.code < 400 {
		return a, &Error{Kind: NotAnka, URL: target, Detail: fmt.Sprintf(
			"it redirects to %q (HTTP %d), so this is not the service's own URL", resp.Header.Get("Location"), a.code)}
	}
	return a, nil
}

// unwrapURL takes away the wrapper that repeats method and URL.
func unwrapURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// envelope is the form of all JSON answers.
type envelope struct {
	Status  string          `json:"status"`
	Message string          `json:"message"`
	Body    json.RawMessage `json:"body"`
}

// decode reads the body of the envelope into v.
func (a answer) decode(v any) error {
	fail := func(kind Kind, format string, args ...any) error {
		return &Error{Kind: kind, URL: a.url, Detail: fmt.Sprintf(format, args...)}
	}
	if a.code == http.StatusUnauthorized || a.code == http.StatusForbidden {
		return fail(Unauthorized, "authentication failed (HTTP %d); set anka_auth in the provider block to credentials that this service accepts", a.code)
	}
	var e envelope
	if a.html || json.Unmarshal(a.body, &e) != nil || e.Status == "" {
		what := "something that is not the JSON of an Anka service"
		if a.html {
			what = "an HTML page"
		}
		return fail(NotAnka, "the answer (HTTP %d) is %s; check host, port and scheme of the URL", a.code, what)
	}
	if e.Status != "OK" || a.code != http.StatusOK {
		return fail(Failed, "the service says %s (HTTP %d): %s", e.Status, a.code, e.Message)
	}
	if err := json.Unmarshal(e.Body, v); err != nil {
		return &Error{Kind: NotAnka, URL: a.url, Detail: "the answer has another shape than expected", Err: err}
	}
	return nil
}
