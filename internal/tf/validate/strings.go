package validate

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/distribution/reference"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// Name accepts the names of clusters, members, hosts and replicas.
func Name() validator.String {
	return check{"Invalid name", "1 to 32 lower-case letters, digits and inner hyphens", func(s string) error {
		if !container.ValidName(s) {
			return fmt.Errorf("%q is not a valid name", s)
		}
		return nil
	}}
}

// NotEmpty refuses text that is there and says nothing, where leaving it out
// means something else: the machine's own keys and known hosts.
func NotEmpty() validator.String {
	return check{"Empty value", "left out to use what the machine has", func(s string) error {
		if strings.TrimSpace(s) == "" {
			return errors.New("it is set, but empty")
		}
		return nil
	}}
}

// Duration accepts a positive duration such as 30s or 1h30m.
func Duration() validator.String {
	return check{"Invalid duration", `a positive duration such as "30s", "5m" or "1h30m"`, func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("%q is not a duration", s)
		}
		if d <= 0 {
			return fmt.Errorf("%q is not positive", s)
		}
		return nil
	}}
}

// Image accepts a reference to a container image.
func Image() validator.String {
	return check{"Invalid image", `an image reference such as "quay.io/coreos/etcd:v3.5.35"`, func(s string) error {
		if _, err := reference.ParseNormalizedNamed(s); err != nil {
			return fmt.Errorf("%q is not an image reference", s)
		}
		return nil
	}}
}

// systemPaths must never be a service's data directory, nor may their
// children, but for those below dataRoots.
var systemPaths = []string{
	"/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/usr",
	"/var/run", "/var/lib/docker", "/var/lib/containerd",
}

// topPaths hold other things than a service's data; their children may be it.
var topPaths = []string{"/", "/home", "/media", "/mnt", "/opt", "/srv", "/tmp", "/var", "/var/lib", "/var/log", "/var/tmp"}

var plainPath = regexp.MustCompile(`^[A-Za-z0-9._/@+-]+$`)

// HostPath accepts an absolute, clean path on a host that data can be put
// under, and refuses those where that would harm the host.
func HostPath() validator.String {
	return check{"Invalid host path", `an absolute path of its own, such as "/opt/registry-storage"`, checkHostPath}
}

func checkHostPath(s string) error {
	switch {
	case !path.IsAbs(s):
		return fmt.Errorf("%q is not absolute", s)
	case slices.Contains(strings.Split(s, "/"), ".."):
		return fmt.Errorf("%q contains %q", s, "..")
	case !plainPath.MatchString(s):
		return fmt.Errorf("%q contains characters other than letters, digits and . _ / @ + -", s)
	case path.Clean(s) != s:
		return fmt.Errorf("%q is not in its shortest form, %q", s, path.Clean(s))
	case slices.Contains(topPaths, s):
		return fmt.Errorf("%q holds more than this service's data", s)
	}
	for _, system := range systemPaths {
		if s == system || strings.HasPrefix(s, system+"/") {
			return fmt.Errorf("%q belongs to the operating system", s)
		}
	}
	return nil
}

// ServiceURL accepts http and https URLs of a service: scheme, host, optional
// port, nothing behind it, because paths are appended to it.
func ServiceURL() validator.String {
	return check{"Invalid URL", `scheme, host and optional port, such as "http://10.0.1.4:8089"`, CheckServiceURL}
}

// CheckServiceURL is the rule behind [ServiceURL].
func CheckServiceURL(s string) error {
	parsed, err := url.Parse(s)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a URL", s)
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return fmt.Errorf("%q does not begin with http:// or https://", s)
	case parsed.Hostname() == "":
		return fmt.Errorf("%q has no host", s)
	case parsed.User != nil:
		return errors.New("the URL contains credentials, which belong into the provider block")
	case strings.HasSuffix(parsed.Path, "/"):
		return fmt.Errorf("%q ends with a slash", s)
	case parsed.Path != "" || parsed.RawQuery != "" || parsed.Fragment != "" || parsed.ForceQuery:
		return fmt.Errorf("%q has something behind host and port", s)
	}
	if err := service.CheckURLPort(parsed); err != nil {
		return fmt.Errorf("%q %w", s, err)
	}
	return nil
}

// IP accepts an IPv4 or IPv6 address.
func IP() validator.String {
	return check{"Invalid IP address", `an IP address such as "10.0.1.4" or "0.0.0.0"`, func(s string) error {
		if _, err := netip.ParseAddr(s); err != nil {
			return fmt.Errorf("%q is not an IP address", s)
		}
		return nil
	}}
}

var logSize = regexp.MustCompile(`^[1-9][0-9]*[kmg]$`)

// LogSize accepts a size as Docker's max-size option takes it.
func LogSize() validator.String {
	return check{"Invalid log size", `a number followed by k, m or g, such as "50m"`, func(s string) error {
		if !logSize.MatchString(s) {
			return fmt.Errorf("%q is not a log size", s)
		}
		return nil
	}}
}

var volumeName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$`)

// VolumeName accepts the name of a Docker volume.
func VolumeName() validator.String {
	return check{"Invalid volume name", "2 to 128 letters, digits and _ . - that begin with a letter or digit", func(s string) error {
		if !volumeName.MatchString(s) {
			return fmt.Errorf("%q is not a volume name", s)
		}
		return nil
	}}
}

// minTokenLength is the length in characters below which controllers and
// registries refuse a root token.
const minTokenLength = 10

// RootToken accepts a root token that controllers accept. The message never
// repeats the token.
func RootToken() validator.String {
	return check{"Invalid root token", "one line of at least 10 characters", checkRootToken}
}

// checkRootToken counts characters only once nothing that nobody sees is among
// them: the line break at the end of a file would be a part of the token, and
// clients that are given it without are refused.
func checkRootToken(s string) error {
	if err := service.CheckLine("the root token", s); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(s); n < minTokenLength {
		return fmt.Errorf("the root token has %d characters", n)
	}
	return nil
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// EnvName accepts the name of an environment variable.
func EnvName() validator.String {
	return check{"Invalid environment variable", "letters, digits and underscores that do not begin with a digit", func(s string) error {
		if !envName.MatchString(s) {
			return fmt.Errorf("%q is not the name of an environment variable", s)
		}
		return nil
	}}
}
