package service

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// checkURL never shows the value: what was refused may be a password in it.
func (s Setting) checkURL(value string) error {
	u, err := url.Parse(value)
	switch {
	case err != nil || strings.ContainsFunc(value, unicode.IsSpace):
		return errors.New("the value is not a URL such as \"https://example.com\"")
	case u.User != nil:
		return errors.New("the URL contains a user name or password, which would be kept in state and shown in logs: remove them")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%s does not begin with http:// or https://", s.shown(value))
	case u.Hostname() == "":
		return fmt.Errorf("%s names no host", s.shown(value))
	case u.Fragment != "":
		return fmt.Errorf("%s has a fragment (#…), which no server sees: remove it", s.shown(value))
	case !s.Verbatim && strings.HasSuffix(value, "/"):
		return fmt.Errorf("%s ends with a slash: remove it", s.shown(value))
	case !s.Verbatim && u.RawQuery != "":
		return fmt.Errorf("%s has a query (?…): remove it", s.shown(value))
	}
	if err := CheckURLPort(u); err != nil {
		return fmt.Errorf("%s %w", s.shown(value), err)
	}
	return nil
}

// CheckURLPort refuses a URL whose port is none, or is left out behind its
// colon: url.Parse takes both. The error goes on where the URL was named.
func CheckURLPort(u *url.URL) error {
	port := u.Port()
	if port == "" {
		if strings.HasSuffix(u.Host, ":") {
			return errors.New("has an empty port")
		}
		return nil
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("has the port %s, which is not between 1 and 65535", port)
	}
	return nil
}
