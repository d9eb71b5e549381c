package join

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// URLError is about the URL at Index, or about all of them when it is -1.
type URLError struct {
	Index int
	Err   error
}

// Error tells the fault.
func (e *URLError) Error() string {
	if e.Index < 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("URL %d of the list: %v", e.Index+1, e.Err)
}

// Unwrap gives the fault.
func (e *URLError) Unwrap() error { return e.Err }

// OptionError is about one option. It never repeats a value.
type OptionError struct {
	Name string
	Err  error
}

// Error names option and fault.
func (e *OptionError) Error() string { return fmt.Sprintf("option %s: %v", e.Name, e.Err) }

// Unwrap gives the fault.
func (e *OptionError) Unwrap() error { return e.Err }

// Command is the line for a node's shell that joins it to the controllers at
// urls, which it asks in this order. Values of options are strings, booleans,
// int64 and lists of strings; as Terraform does, text is taken for a number or
// a boolean where one is wanted. Errors are [*URLError] and [*OptionError].
func Command(urls []string, options map[string]any) (string, error) {
	if err := checkURLs(urls); err != nil {
		return "", err
	}
	known := Options()
	for _, name := range slices.Sorted(maps.Keys(options)) {
		if err := checkName(known, name); err != nil {
			return "", err
		}
	}
	words := []string{"sudo", "ankacluster", "join", quote(strings.Join(urls, ","))}
	for _, o := range known {
		value, given := options[o.Name]
		if !given {
			continue
		}
		rendered, err := o.render(value)
		if err != nil {
			return "", &OptionError{Name: o.Name, Err: err}
		}
		words = append(words, rendered...)
	}
	if err := checkPairs(options); err != nil {
		return "", err
	}
	return strings.Join(words, " "), nil
}

func checkURLs(urls []string) error {
	if len(urls) == 0 {
		return &URLError{Index: -1, Err: errors.New("there are no URLs; give that of at least one controller, such as anka_controller.this.join_urls")}
	}
	for i, text := range urls {
		parsed, err := url.Parse(text)
		switch {
		// What does not parse is not repeated: it may hold credentials.
		case err != nil, parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Hostname() == "":
			err = errors.New("it is not the http or https URL of a controller, such as http://10.0.1.4")
		case parsed.User != nil:
			err = errors.New("it contains credentials, which would be shown; nodes authenticate with api_key_id and api_key_file, or with cert and cert_key")
		case parsed.Path != "" || parsed.RawQuery != "" || parsed.Fragment != "" || parsed.ForceQuery || strings.HasSuffix(text, "#"):
			err = fmt.Errorf("%q has something behind host and port", parsed.Scheme+"://"+parsed.Host)
		case strings.Contains(text, ","):
			err = errors.New("it contains a comma, which separates URLs; give them as elements of the list")
		case service.CheckURLPort(parsed) != nil:
			err = fmt.Errorf("%q %w", text, service.CheckURLPort(parsed))
		case slices.Contains(urls[:i], text):
			err = fmt.Errorf("%q is there twice", text)
		}
		if err != nil {
			return &URLError{Index: i, Err: err}
		}
	}
	return nil
}

func checkName(known []Option, name string) error {
	if way, secret := secrets[name]; secret {
		return &OptionError{Name: name, Err: fmt.Errorf("it would put a secret into the command, which is kept in the state and shown; %s", way)}
	}
	all := make([]string, 0, len(known))
	for _, o := range known {
		if o.Name == name {
			return nil
		}
		all = append(all, o.Name)
	}
	slices.Sort(all)
	return &OptionError{Name: strconv.Quote(name), Err: fmt.Errorf("there is no such option; there are: %s", strings.Join(all, ", "))}
}

// checkPairs refuses options of which one is useless without the other.
func checkPairs(options map[string]any) error {
	for _, pair := range [][2]string{{"cert", "cert_key"}, {"api_key_id", "api_key_file"}} {
		_, first := options[pair[0]]
		_, second := options[pair[1]]
		if first != second {
			return &OptionError{Name: pair[0], Err: fmt.Errorf("it is of use with %s only: give both or none", pair[1])}
		}
	}
	_, cert := options["cert"]
	if _, keystore := options["keystore"]; keystore && cert {
		return &OptionError{Name: "keystore", Err: errors.New("it is another way to give cert and cert_key: give one of them")}
	}
	return nil
}

// render gives the words of the option, none when there is nothing to say.
func (o Option) render(value any) ([]string, error) {
	switch o.kind {
	case flag:
		on, err := boolean(value)
		if err != nil || !on {
			return nil, err
		}
		return []string{o.Flag}, nil
	case names:
		list, err := list(value)
		if err != nil || len(list) == 0 {
			return nil, err
		}
		return []string{o.Flag, quote(strings.Join(list, ","))}, nil
	case count:
		n, err := number(value)
		if err != nil {
			return nil, err
		}
		return []string{o.Flag, strconv.FormatInt(n, 10)}, nil
	}
	s, is := value.(string)
	if !is {
		return nil, errors.New("it is a string")
	}
	if err := o.check(s); err != nil {
		return nil, err
	}
	return []string{o.Flag, quote(s)}, nil
}

// check looks at the text of an option.
func (o Option) check(s string) error {
	switch o.kind {
	case file:
		return checkPath(s)
	case duration:
		if d, err := time.ParseDuration(s); err != nil || d <= 0 {
			return errors.New(`it is a duration such as "30s" or "5m"`)
		}
		return nil
	case size:
		if !sizes.MatchString(s) {
			return errors.New(`it is a number with B, KB, MB or GB behind it, such as "10GB"`)
		}
		return nil
	case mode:
		if s != "number" && s != "resource" {
			return errors.New(`it is "number" or "resource"`)
		}
		return nil
	}
	if err := checkText(s); err != nil {
		return err
	}
	if o.Name == "vm_prefix" && strings.Contains(s, " ") {
		return errors.New("it has no spaces")
	}
	return nil
}

var sizes = regexp.MustCompile(`^[1-9][0-9]*(B|KB|MB|GB)$`)

// maxPath is the longest path that macOS takes, in bytes.
const maxPath = 1024

func checkPath(s string) error {
	switch {
	case secret(s):
		return errors.New("it is the path of a file on the node, and what was given looks like the secret itself")
	case strings.HasPrefix(s, "~"):
		return errors.New("it is an absolute path: ~ is not expanded, and would be another home for root")
	case !path.IsAbs(s) || len(s) >= maxPath || control(s):
		return errors.New("it is the absolute path of a file on the node, such as /etc/anka/node.pem")
	}
	return nil
}

func checkText(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty; leave it out instead")
	case secret(s):
		return errors.New("it looks like a secret, which must not be in the command")
	case control(s):
		return errors.New("it contains a line break or another control character")
	case strings.HasPrefix(s, "-"):
		return errors.New("it begins with a dash, and would be taken for a flag")
	}
	return nil
}

func control(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

var (
	webToken = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`)
	// encoded is base64 that is too long for a name and has no place for one of
	// the separators of names and paths.
	encoded = regexp.MustCompile(`^[A-Za-z0-9+=_-]{40,}$|^[A-Za-z0-9+/=_-]{200,}$`)
)

// secret reports whether s looks like a key, a certificate or a token.
func secret(s string) bool {
	return strings.Contains(s, "-----BEGIN") || webToken.MatchString(s) ||
		encoded.MatchString(s) && strings.ContainsAny(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") &&
			strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyz") && strings.ContainsAny(s, "0123456789")
}

func boolean(value any) (bool, error) {
	switch v := value.(type) {
	case bool:
		return v, nil
	case string:
		if v == "true" || v == "false" {
			return v == "true", nil
		}
	}
	return false, errors.New("it is true or false")
}

func number(value any) (int64, error) {
	n, is := value.(int64)
	if s, text := value.(string); text {
		parsed, err := strconv.ParseInt(s, 10, 32)
		n, is = parsed, err == nil
	}
	if !is || n < 1 {
		return 0, errors.New("it is a whole number, at least 1")
	}
	return n, nil
}

func list(value any) ([]string, error) {
	all, is := value.([]string)
	if !is {
		return nil, errors.New("it is a list of strings")
	}
	for i, s := range all {
		if err := checkText(s); err != nil {
			return nil, fmt.Errorf("element %d: %w", i+1, err)
		}
		if strings.Contains(s, ",") {
			return nil, fmt.Errorf("element %d contains a comma, which separates them", i+1)
		}
	}
	return all, nil
}

// harmless words need no quotes. At the beginning of one zsh, the shell of
// macOS, takes an equals sign for the path of a command.
var harmless = regexp.MustCompile(`^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*$`)

// quote makes one word of s for any POSIX shell, and for zsh.
func quote(s string) string {
	if harmless.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
