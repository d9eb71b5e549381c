package join_test

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/join"
)

type options = map[string]any

var three = []string{"http://10.0.1.4", "http://10.0.1.5", "http://10.0.1.6"}

func TestCommand(t *testing.T) {
	for name, c := range map[string]struct {
		urls    []string
		options options
		want    string
	}{
		"documented": {three, nil, "http://10.0.1.4,http://10.0.1.5,http://10.0.1.6"},
		"one, not in order, with ports": {
			[]string{"https://b.example:8090", "https://a.example"}, nil, "https://b.example:8090,https://a.example",
		},
		"API key, as documented": {
			three[:1],
			options{"groups": []string{"gitlab-test-group-env"}, "reserve_space": "10GB", "api_key_id": "ci", "api_key_file": "/etc/anka/ci.pem"},
			"http://10.0.1.4 --groups gitlab-test-group-env --reserve-space 10GB --api-key-id ci --api-key-file /etc/anka/ci.pem",
		},
		"certificate, as documented": {
			[]string{"https://10.0.1.4"},
			options{"skip_tls_verification": true, "cert": "/c/node-crt.pem", "cert_key": "/c/node-key.pem", "cacert": "/c/ca-crt.pem"},
			"https://10.0.1.4 --skip-tls-verification --cacert /c/ca-crt.pem --cert /c/node-crt.pem --cert-key /c/node-key.pem",
		},
		"false, empty and text": {
			three[:1],
			options{"drain_mode": false, "tls": "true", "skip_tests": "false", "groups": []string{}, "max_vm_count": "2", "ram_override": int64(16)},
			"http://10.0.1.4 --max-vm-count 2 --ram-override 16 --tls",
		},
		"quoted": {
			[]string{"http://[fd00::4]"},
			options{"name": "Ann's $(mac) `1`", "groups": []string{"iOS builds", "b;c"}, "cert": "/a b/c", "cert_key": "/k"},
			`'http://[fd00::4]' --name 'Ann'\''s $(mac) ` + "`1`" + `' --groups 'iOS builds,b;c' --cert '/a b/c' --cert-key /k`,
		},
		"zsh": {
			three[:1],
			options{"name": "=ls", "groups": []string{"=a", "b=c"}, "vm_prefix": "a=ls"},
			"http://10.0.1.4 --name '=ls' --groups '=a,b=c' --vm-prefix a=ls",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := join.Command(c.urls, c.options)
			if want := "sudo ankacluster join " + c.want; err != nil || got != want {
				t.Errorf("got  %s, %v\nwant %s", got, err, want)
			}
		})
	}
}

// TestCommand_everyOption renders each option with a good value, and refuses a
// bad one, without repeating it.
func TestCommand_everyOption(t *testing.T) {
	good := options{
		"groups": []string{"a", "b"}, "capacity_mode": "resource", "max_vm_count": int64(2), "vcpu_override": int64(8), "ram_override": int64(16),
		"num_workers": int64(3), "optimization_threshold": int64(5), "reserve_space": "140MB",
	}
	for _, o := range join.Options() {
		value, set := good[o.Name]
		bad := any("canary\nline")
		switch {
		case set:
		case strings.Contains(o.Description, "Time between") || strings.Contains(o.Description, "How long"):
			value = "1m30s"
		case strings.HasPrefix(o.Description, "Path"):
			value = "/etc/anka/file.pem"
		case strings.HasPrefix(o.Description, "Name") || strings.HasPrefix(o.Description, "ID") || strings.HasPrefix(o.Description, "Address") || o.Name == "vm_prefix":
			value = "some-text"
		default:
			value = true
		}
		given := options{o.Name: value}
		for option, other := range map[string]string{"cert": "cert_key", "cert_key": "cert", "api_key_id": "api_key_file", "api_key_file": "api_key_id"} {
			if o.Name == option {
				given[other] = "/etc/anka/other"
			}
		}
		got, err := join.Command(three, given)
		if flag := "--" + strings.ReplaceAll(o.Name, "_", "-"); err != nil || o.Flag != flag || !strings.Contains(got+" ", " "+flag+" ") {
			t.Errorf("%s: got %s, %v", o.Name, got, err)
		}
		given[o.Name] = bad
		_, err = join.Command(three, given)
		var fault *join.OptionError
		if !errors.As(err, &fault) || fault.Name != o.Name || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v", o.Name, err)
		}
	}
}

func TestCommand_refusals(t *testing.T) {
	const (
		pem = "-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----\n"
		// As keys are handed out, and as a session looks.
		base64 = "canaryMIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn4ygWyF0PbnGy0AHB7canaryMIIEpAIBAAKCAQEA0Z3VS5JJ"
		token  = "eyJhbGciOiJIUzI1NiJ9.canary.c2lnbmF0dXJl"
	)
	one := three[:1]
	for name, c := range map[string]struct {
		urls    []string
		options options
		says    string
	}{
		"no URL":                 {nil, nil, "there are no URLs"},
		"not a URL":              {[]string{"10.0.1.4"}, nil, "URL 1 of the list: it is not the http or https URL"},
		"password in the URL":    {[]string{"http://a", "http://root:canary@b"}, nil, "URL 2 of the list: it contains credentials"},
		"broken, with password":  {[]string{"http://root:canary@b:x"}, nil, "it is not the http or https URL"},
		"path":                   {[]string{"http://a/api?token=canary"}, nil, `"http://a" has something behind`},
		"trailing slash":         {[]string{"http://a/"}, nil, "has something behind"},
		"joined by hand":         {[]string{"http://a,http://b"}, nil, "has something behind|comma"},
		"port that is none":      {[]string{"http://a", "http://10.0.1.4:99999"}, nil, `URL 2 of the list: "http://10.0.1.4:99999" has the port 99999, which is not between 1 and 65535`},
		"port 0":                 {[]string{"http://10.0.1.4:0"}, nil, "has the port 0"},
		"port left out":          {[]string{"http://10.0.1.4:"}, nil, `"http://10.0.1.4:" has an empty port`},
		"twice":                  {[]string{"http://a", "http://a"}, nil, `"http://a" is there twice`},
		"unknown option":         {one, options{"group": "a"}, `option "group": there is no such option; there are: api_key_file, api_key_id, cacert, `},
		"dashes":                 {one, options{"cert-key": "/k"}, "there is no such option"},
		"the key itself":         {one, options{"api_key_string": "canary"}, "option api_key_string: it would put a secret into the command|api_key_file"},
		"password of a keystore": {one, options{"keystore_pass": "canary"}, "it would put a secret"},
		"PEM for a path":         {one, options{"cert": "/c", "cert_key": pem}, "option cert_key: it is the path of a file on the node, and what was given looks like the secret"},
		"base64 for a path":      {one, options{"api_key_id": "ci", "api_key_file": base64}, "looks like the secret"},
		"base64 for an ID":       {one, options{"api_key_id": base64, "api_key_file": "/k"}, "it looks like a secret"},
		"token for a name":       {one, options{"name": token}, "it looks like a secret"},
		"token for a group":      {one, options{"groups": []string{"a", token}}, "element 2: it looks like a secret"},
		"relative path":          {one, options{"cacert": "ca.pem"}, "the absolute path of a file on the node"},
		"home":                   {one, options{"cacert": "~/ca.pem"}, "~ is not expanded"},
		"flag for a name":        {one, options{"name": "--tls"}, "begins with a dash"},
		"key without ID":         {one, options{"api_key_file": "/k"}, "option api_key_id: it is of use with api_key_file only"},
		"certificate, no key":    {one, options{"cert": "/c"}, "cert_key only"},
		"two ways":               {one, options{"cert": "/c", "cert_key": "/k", "keystore": "/s"}, "option keystore: it is another way"},
		"comma in a group":       {one, options{"groups": []string{"a,b"}}, "element 1 contains a comma"},
		"group, not a list":      {one, options{"groups": "a"}, "it is a list of strings"},
		"fraction":               {one, options{"max_vm_count": 1.5}, "a whole number"},
		"zero":                   {one, options{"max_vm_count": int64(0)}, "at least 1"},
		"size without unit":      {one, options{"reserve_space": "10"}, "KB, MB or GB"},
		"duration without unit":  {one, options{"heartbeat": "5"}, "a duration such as"},
		"mode":                   {one, options{"capacity_mode": "both"}, `"number" or "resource"`},
		"prefix with a space":    {one, options{"vm_prefix": "a b"}, "no spaces"},
		"empty name":             {one, options{"name": ""}, "it is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := join.Command(c.urls, c.options)
			if err == nil {
				t.Fatalf("got %s", got)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the value is in the text: %v", err)
			}
			if !slices.ContainsFunc(strings.Split(c.says, "|"), func(part string) bool { return strings.Contains(err.Error(), part) }) {
				t.Errorf("got %v, want %s", err, c.says)
			}
		})
	}
}

// TestCommand_shellReadsWhatWasGiven lets a real shell take the words apart.
func TestCommand_shellReadsWhatWasGiven(t *testing.T) {
	name := "it's \"a\" $HOME `id` \\ * ; & | > é"
	command, err := join.Command([]string{"http://[fd00::4]:80", "http://b"}, options{"name": name, "groups": []string{"x y", "$(z)"}})
	if err != nil {
		t.Fatal(err)
	}
	words := strings.TrimPrefix(command, "sudo ankacluster join ")
	output, err := exec.CommandContext(t.Context(), "sh", "-c", `printf '%s\n' `+words).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := "http://[fd00::4]:80,http://b\n--name\n" + name + "\n--groups\nx y,$(z)\n"
	if string(output) != want {
		t.Errorf("got  %q\nwant %q", output, want)
	}
}
