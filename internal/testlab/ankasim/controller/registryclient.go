package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

// registryClient asks the controller's registry, with the root token when
// authentication is on: from 1.34.0 on controllers know no other way in.
type registryClient struct {
	base  string // empty when the controller runs without a registry
	token string
	http  *http.Client
}

func newRegistryClient(s settings.Controller) *registryClient {
	c := &registryClient{base: s.RegistryURL(), http: outbound(s)}
	// Not followed, so that an address with a trailing slash fails as documented.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if s.Server.Auth.Enabled {
		c.token = s.Server.Auth.RootToken
	}
	return c
}

// registryError is an answer of the registry that is not OK.
type registryError struct {
	code    int
	message string
}

func (e *registryError) Error() string { return e.message }

// httpCode hides a 401 of the registry from the controller's client, whose own
// credentials were fine.
func (e *registryError) httpCode() int {
	if e.code == http.StatusUnauthorized || e.code < http.StatusBadRequest {
		return http.StatusInternalServerError
	}
	return e.code
}

func (c *registryClient) running(ctx context.Context) error {
	body, err := c.get(ctx, "/registry/status", nil)
	if err != nil {
		return err
	}
	var status struct {
		Status string `json:"status"`
	}
	if err := json.Unmarshal(body, &status); err != nil {
		return fmt.Errorf("status of %s is not the documented JSON: %w", c.base, err)
	}
	if status.Status != "Running" {
		return fmt.Errorf("status of %s is %q", c.base, status.Status)
	}
	return nil
}

// maxReply bounds what is read of one answer, in bytes.
const maxReply = 16 << 20

func (c *registryClient) get(ctx context.Context, path string, query url.Values) (json.RawMessage, error) {
	if c.base == "" {
		return nil, errors.New("this controller has no registry")
	}
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("registry URL %s is malformed: %w", c.base, err)
	}
	if c.token != "" {
		request.SetBasicAuth("root", c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the registry: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err != nil {
		return nil, fmt.Errorf("answer of the registry %s broke off: %w", c.base, err)
	}
	var reply struct {
		Status  string          `json:"status"`
		Body    json.RawMessage `json:"body"`
		Message string          `json:"message"`
	}
	if err := json.Unmarshal(data, &reply); err != nil {
		return nil, fmt.Errorf("answer of the registry %s (HTTP %d) is not the documented JSON: %w", c.base, response.StatusCode, err)
	}
	if response.StatusCode != http.StatusOK || reply.Status != "OK" {
		return nil, &registryError{code: response.StatusCode, message: fmt.Sprintf(
			"registry %s answered HTTP %d: %s", c.base, response.StatusCode, reply.Message)}
	}
	return reply.Body, nil
}
