package ankaapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// envelope is the form of all JSON answers.
type envelope struct {
	Status  string          `json:"status"`
	Message string          `json:"message"`
	Body    json.RawMessage `json:"body"`
}

// enveloped reports whether an answer has the form of an Anka service's.
func (a answer) enveloped() bool {
	var e envelope
	return !a.html && json.Unmarshal(a.body, &e) == nil && e.Status != ""
}

// decode reads the body of the envelope into v.
func (c *Client) decode(a answer, v any) error {
	fail := func(kind Kind, format string, args ...any) error {
		return &Error{Kind: kind, URL: a.url, Detail: fmt.Sprintf(format, args...)}
	}
	refuses := a.code == http.StatusUnauthorized || a.code == http.StatusForbidden
	switch {
	// Neither credentials nor permissions help where a proxy or another server
	// wants a login of its own.
	case refuses && !a.enveloped():
		return fail(NotAnka, "the request is refused (HTTP %d) by something that is not an Anka service, such as a proxy with a login of its own; "+
			"check host, port and scheme of the URL", a.code)
	case a.code == http.StatusUnauthorized:
		return fail(Unauthorized, "%s", c.refusal())
	case a.code == http.StatusForbidden && c.sent() == "":
		return fail(Unauthorized, "the service does not allow what was asked without credentials (HTTP 403); set anka_auth in the provider block "+
			"(root_token, api_key or client_cert_pem)")
	case a.code == http.StatusForbidden:
		return fail(Unauthorized, "the service knows %s, and does not allow what was asked (HTTP 403); give the user of anka_auth that permission, "+
			"or use the root token", c.sent())
	}
	var e envelope
	_ = json.Unmarshal(a.body, &e) // looked at below
	switch {
	case a.html && a.code >= http.StatusInternalServerError:
		return fail(Failed, "the answer is the HTML page of an error (HTTP %d), as a proxy or load balancer gives when it has no service "+
			"to pass the request to; check the service behind it", a.code)
	case a.html:
		return fail(NotAnka, "the answer (HTTP %d) is an HTML page; check host, port and scheme of the URL, which has no path", a.code)
	case !a.enveloped():
		return fail(NotAnka, "the answer (HTTP %d) is something that is not the JSON of an Anka service; check host, port and scheme of the URL", a.code)
	case e.Status != "OK" || a.code != http.StatusOK:
		return fail(Failed, "the service says %s (HTTP %d): %s", e.Status, a.code, e.Message)
	}
	if err := json.Unmarshal(e.Body, v); err != nil {
		return &Error{Kind: NotAnka, URL: a.url, Detail: "the answer has another shape than expected", Err: err}
	}
	return nil
}

// sent names the credentials that requests carry, "" for none. A root token
// goes before an API key; a client certificate is shown whenever there is one
// and the server asks for it.
func (c *Client) sent() string {
	switch {
	case c.cfg.Credentials.RootToken != "":
		return "the root token of anka_auth"
	case c.key != nil:
		return fmt.Sprintf("the API key %q of anka_auth", c.key.id)
	case c.cfg.Credentials.ClientCert != "":
		return "the client certificate of anka_auth"
	default:
		return ""
	}
}

// refusal explains HTTP 401, which services give for missing and wrong
// credentials alike.
func (c *Client) refusal() string {
	sent := c.sent()
	certificate := c.cfg.Credentials.RootToken == "" && c.key == nil
	switch {
	case sent == "":
		return "authentication failed (HTTP 401): the service wants credentials, and none were sent; set anka_auth in the provider block " +
			"(root_token, api_key or client_cert_pem)"
	case certificate && strings.HasPrefix(c.base, "http://"):
		return "authentication failed (HTTP 401): " + sent + " cannot be shown over http://; use an https:// URL, or other credentials"
	case certificate:
		return "authentication failed (HTTP 401): " + sent + " was not accepted, or not even shown because another authority signed it than the " +
			"service asks for; compare its issuer with what the service was given as ANKA_CA_CERT"
	default:
		return "authentication failed (HTTP 401): the service does not accept " + sent + "; compare it with what the service was given, or was started with"
	}
}
