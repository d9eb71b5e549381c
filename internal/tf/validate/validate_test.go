package validate

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func run(t *testing.T, v validator.String, value types.String) string {
	t.Helper()
	at := path.Root("hosts").AtMapKey("h1")
	resp := &validator.StringResponse{}
	v.ValidateString(t.Context(), validator.StringRequest{Path: at, ConfigValue: value}, resp)
	var texts []string
	for _, d := range resp.Diagnostics {
		withPath, ok := d.(interface{ Path() path.Path })
		if !ok || !withPath.Path().Equal(at) {
			t.Errorf("%s: %s is not at the attribute", d.Summary(), d.Detail())
		}
		texts = append(texts, d.Summary()+": "+d.Detail())
	}
	return strings.Join(texts, "\n")
}

// TestValidators runs every validator on good and bad values, on null and on
// unknown. A bad value must give exactly the text.
func TestValidators(t *testing.T) {
	const (
		token    = " The value must be one line of at least 10 characters."
		around   = " begins or ends with white space, such as the line break at the end of a file: use trimspace()."
		name     = " The value must be 1 to 32 lower-case letters, digits and inner hyphens."
		hostPath = ` The value must be an absolute path of its own, such as "/opt/registry-storage".`
		service  = ` The value must be scheme, host and optional port, such as "http://10.0.1.4:8089".`
		duration = ` The value must be a positive duration such as "30s", "5m" or "1h30m".`
	)
	cases := map[string]struct {
		validator validator.String
		good      []string
		bad       map[string]string
	}{
		"name": {Name(), []string{"a", "etcd-1"}, map[string]string{
			"a,b=": `Invalid name: "a,b=" is not a valid name.` + name, "a;rm -rf /": `Invalid name: "a;rm -rf /" is not a valid name.` + name,
			"../..": `Invalid name: "../.." is not a valid name.` + name,
		}},
		"duration": {Duration(), []string{"1s", "1h30m"}, map[string]string{
			"5": `Invalid duration: "5" is not a duration.` + duration, "-1s": `Invalid duration: "-1s" is not positive.` + duration,
		}},
		"host path": {HostPath(), []string{"/opt/registry-storage", "/var/etcd-data", "/mnt/a/b", "/var/lib/anka"}, map[string]string{
			"/":                 `Invalid host path: "/" holds more than this service's data.` + hostPath,
			"/etc":              `Invalid host path: "/etc" belongs to the operating system.` + hostPath,
			"/etc/anka":         `Invalid host path: "/etc/anka" belongs to the operating system.` + hostPath,
			"/var/lib":          `Invalid host path: "/var/lib" holds more than this service's data.` + hostPath,
			"/var/lib/docker/x": `Invalid host path: "/var/lib/docker/x" belongs to the operating system.` + hostPath,
			"relative":          `Invalid host path: "relative" is not absolute.` + hostPath,
			"/opt/../etc":       `Invalid host path: "/opt/../etc" contains "..".` + hostPath,
			"/opt//a":           `Invalid host path: "/opt//a" is not in its shortest form, "/opt/a".` + hostPath,
			"/opt/a/":           `Invalid host path: "/opt/a/" is not in its shortest form, "/opt/a".` + hostPath,
			"/opt/a b":          `Invalid host path: "/opt/a b" contains characters other than letters, digits and . _ / @ + -.` + hostPath,
			"/opt/a:ro":         `Invalid host path: "/opt/a:ro" contains characters other than letters, digits and . _ / @ + -.` + hostPath,
		}},
		"service URL": {ServiceURL(), []string{"http://10.0.1.4:8089", "https://anka.example.com", "http://[fd00::1]:80"}, map[string]string{
			"http://10.0.1.4:8089/":   `Invalid URL: "http://10.0.1.4:8089/" ends with a slash.` + service,
			"10.0.1.4:8089":           `Invalid URL: "10.0.1.4:8089" is not a URL.` + service,
			"ftp://a":                 `Invalid URL: "ftp://a" does not begin with http:// or https://.` + service,
			"http://":                 `Invalid URL: "http://" has no host.` + service,
			"http://a/b":              `Invalid URL: "http://a/b" has something behind host and port.` + service,
			"http://a?b":              `Invalid URL: "http://a?b" has something behind host and port.` + service,
			"http://a:99999":          `Invalid URL: "http://a:99999" has the port 99999, which is not between 1 and 65535.` + service,
			"http://a:":               `Invalid URL: "http://a:" has an empty port.` + service,
			"http://root:hidden-it@a": `Invalid URL: The URL contains credentials, which belong into the provider block.` + service,
		}},
		"log size": {LogSize(), []string{"50m", "1g"}, map[string]string{
			"50": `Invalid log size: "50" is not a log size. The value must be a number followed by k, m or g, such as "50m".`,
		}},
		"volume": {VolumeName(), []string{"data", "a.b_c-d"}, map[string]string{
			"../x": `Invalid volume name: "../x" is not a volume name. The value must be 2 to 128 letters, digits and _ . - that begin with a letter or digit.`,
		}},
		"image": {Image(), []string{"quay.io/coreos/etcd:v3.5.35", "local"}, map[string]string{
			"Not An Image": `Invalid image: "Not An Image" is not an image reference. The value must be an image reference such as "quay.io/coreos/etcd:v3.5.35".`,
		}},
		"IP": {IP(), []string{"10.0.0.1", "::"}, map[string]string{
			"h1": `Invalid IP address: "h1" is not an IP address. The value must be an IP address such as "10.0.1.4" or "0.0.0.0".`,
		}},
		"root token": {RootToken(), []string{"0123456789", "a b c d e f", "öööööööööö"}, map[string]string{
			"012345678":        `Invalid root token: The root token has 9 characters.` + token,
			"ööööööööö":        `Invalid root token: The root token has 9 characters.` + token,
			"0123456789\n":     `Invalid root token: The root token` + around + token,
			" 0123456789":      `Invalid root token: The root token` + around + token,
			"0123456789\x00":   `Invalid root token: The root token contains a line break or another control character.` + token,
			"01234\n567890123": `Invalid root token: The root token contains a line break or another control character.` + token,
		}},
		"environment": {EnvName(), []string{"ANKA_V", "_a1"}, map[string]string{
			"A=B": `Invalid environment variable: "A=B" is not the name of an environment variable. The value must be letters, digits and underscores that do not begin with a digit.`,
		}},
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			for _, pass := range []types.String{types.StringNull(), types.StringUnknown()} {
				if got := run(t, c.validator, pass); got != "" {
					t.Errorf("%s: %s", pass, got)
				}
			}
			for _, good := range c.good {
				if got := run(t, c.validator, types.StringValue(good)); got != "" {
					t.Errorf("%q: %s", good, got)
				}
			}
			for bad, want := range c.bad {
				if got := run(t, c.validator, types.StringValue(bad)); got != want {
					t.Errorf("%q: got\n%s\nwant\n%s", bad, got, want)
				}
			}
		})
	}
}
