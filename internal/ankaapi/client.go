package ankaapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody is the most that is read of an answer, in bytes. A node takes about
// 4 KiB in a list of them.
const maxBody = 64 << 20

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
	// Pin, when set, is the SHA-256 of the only server certificate that is
	// accepted, of its DER and in hexadecimal, whoever signed it and whatever
	// name and dates are in it. Neither Credentials.CA nor the system's roots
	// count then.
	Pin string
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

// New makes a client without dialling. The error is about the URL, the
// credentials or the pin; it never repeats a secret.
func New(cfg Config) (*Client, error) {
	parsed, err := url.Parse(cfg.URL)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return nil, fmt.Errorf("%q is not the http or https URL of a controller or registry", cfg.URL)
	}
	security, err := cfg.Credentials.tls()
	if err == nil && cfg.Pin != "" {
		err = pinTo(security, cfg.Pin)
	}
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
			Transport: &http.Transport{DialContext: cfg.Dial, TLSClientConfig: security, MaxIdleConns: 4, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute},
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

// answer is what a service answered, whatever its status code.
type answer struct {
	url  string
	code int
	html bool
	body []byte
}

// location is where a redirect leads, without what may be secret in it.
func location(resp *http.Response) string {
	target, err := resp.Location()
	if err != nil {
		return ""
	}
	target.RawQuery, target.User = "", nil
	return target.String()
}

// get asks path, with credentials when authenticated.
func (c *Client) get(ctx context.Context, path string, authenticated bool) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	if !authenticated {
		return c.do(ctx, http.MethodGet, path, "", nil)
	}
	header, err := c.authorization(ctx)
	if err != nil {
		return answer{}, err
	}
	a, err := c.do(ctx, http.MethodGet, path, header, nil)
	if err != nil || a.code != http.StatusUnauthorized || c.key == nil {
		return a, err
	}
	// The session may have ended before its time: ANKA_API_KEYS_SESSION_TTL is
	// the server's to choose. A new one is refused for another reason.
	if header, err = c.key.renew(ctx, c, header); err != nil {
		return answer{}, err
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
		return answer{}, c.transportError(ctx, target, unwrapURL(err))
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return answer{}, c.transportError(ctx, target, err)
	case len(content) > maxBody:
		return answer{}, &Error{Kind: NotAnka, URL: target, Detail: fmt.Sprintf("the answer is larger than %d MiB", maxBody>>20)}
	case refusesPlain(resp.StatusCode, content):
		return answer{}, &Error{Kind: TLSFailure, URL: target, Detail: wantsHTTPS}
	}
	a := answer{url: target, code: resp.StatusCode, body: content}
	a.html = strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || bytes.HasPrefix(bytes.TrimSpace(content), []byte("<"))
	if a.code >= 300 && a.code < 400 {
		return a, &Error{Kind: NotAnka, URL: target, Detail: fmt.Sprintf("it redirects to %q (HTTP %d), so this is not the service's own URL; "+
			"use that one if the service answers there", location(resp), a.code)}
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
