package settings

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind says what is wrong with a value that is not empty, nil when nothing is.
// Values of secrets are only ever of kind text, which shows and refuses none.
type kind func(value string) error

func text(string) error { return nil }

func flag(value string) error {
	if value != "true" && value != "false" {
		return fmt.Errorf("%q is neither true nor false", value)
	}
	return nil
}

func duration(value string) error {
	d, err := time.ParseDuration(value)
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 15s: %w", value, err)
	}
	if d < 0 {
		return fmt.Errorf("%q is negative", value)
	}
	return nil
}

// whole is a whole number from low to high.
func whole(low, high int) kind {
	return func(value string) error {
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", value)
		}
		if n < low || n > high {
			return fmt.Errorf("%d is not between %d and %d", n, low, high)
		}
		return nil
	}
}

// count is a whole number without a documented upper end.
func count(value string) error { return whole(0, 1<<31-1)(value) }

func port(value string) error { return whole(1, 65535)(value) }

func fraction(value string) error {
	if f, err := strconv.ParseFloat(value, 64); err != nil || f < 0 {
		return fmt.Errorf("%q is not a number from 0", value)
	}
	return nil
}

func oneOf(allowed ...string) kind {
	return func(value string) error {
		if !slices.Contains(allowed, value) {
			return fmt.Errorf("%q is not one of %s", value, strings.Join(allowed, ", "))
		}
		return nil
	}
}

func listOf(element kind) kind {
	return func(value string) error {
		var errs []error
		for _, item := range split(value) {
			errs = append(errs, element(item))
		}
		return errors.Join(errs...)
	}
}

// split returns the elements of a comma separated list without empty ones.
func split(value string) []string {
	var items []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// address is what a service listens on, such as :80 or 0.0.0.0:80.
func address(value string) error {
	_, service, err := net.SplitHostPort(value)
	if err != nil {
		return fmt.Errorf("%q is not address:port: %w", value, err)
	}
	return port(service)
}

func webURL(value string) error {
	parsed, err := url.Parse(value)
	if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" {
		return fmt.Errorf("%q is not a URL such as http://10.0.1.4:8089", value)
	}
	return nil
}

func absolutePath(value string) error {
	if !strings.HasPrefix(value, "/") {
		return fmt.Errorf("%q does not start with a slash", value)
	}
	return nil
}

var macRangeForm = regexp.MustCompile(`^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}-([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$`)

// macRange is FROM-TO with both ends included.
func macRange(value string) error {
	from, to, _ := strings.Cut(value, "-")
	if !macRangeForm.MatchString(value) {
		return fmt.Errorf("%q is not a range such as 00:00:00:00:00:00-FF:FF:FF:FF:FF:FF", value)
	}
	if strings.ToUpper(from) > strings.ToUpper(to) {
		return fmt.Errorf("%q ends below its start", value)
	}
	return nil
}

var modulesForm = regexp.MustCompile(`^[^=,\s]+=\d+$`)

// modules is a list of pattern=LEVEL, or the documented default 0.
func modules(value string) error {
	if value == "0" {
		return nil
	}
	return listOf(func(item string) error {
		if !modulesForm.MatchString(item) {
			return fmt.Errorf("%q is not pattern=LEVEL", item)
		}
		return nil
	})(value)
}

// documentedSuites are the names the reference lists, in its lower case; Go
// calls them by the same names in upper case.
var documentedSuites = []string{
	"tls_aes_128_gcm_sha256", "tls_aes_256_gcm_sha384", "tls_chacha20_poly1305_sha256",
	"tls_ecdhe_ecdsa_with_aes_128_cbc_sha", "tls_ecdhe_ecdsa_with_aes_256_cbc_sha",
	"tls_ecdhe_rsa_with_aes_128_cbc_sha", "tls_ecdhe_rsa_with_aes_256_cbc_sha",
	"tls_ecdhe_ecdsa_with_aes_128_gcm_sha256", "tls_ecdhe_ecdsa_with_aes_256_gcm_sha384",
	"tls_ecdhe_rsa_with_aes_128_gcm_sha256", "tls_ecdhe_rsa_with_aes_256_gcm_sha384",
	"tls_ecdhe_rsa_with_chacha20_poly1305_sha256", "tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256",
}

// CipherSuite returns the number of a cipher suite by its documented name.
func CipherSuite(name string) (uint16, error) {
	if !slices.Contains(documentedSuites, name) {
		return 0, fmt.Errorf("%q is not one of the cipher suites %s", name, strings.Join(documentedSuites, ", "))
	}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if strings.EqualFold(suite.Name, name) {
			return suite.ID, nil
		}
	}
	return 0, fmt.Errorf("cipher suite %q is not in this build", name)
}

func cipherSuite(value string) error {
	_, err := CipherSuite(value)
	return err
}
