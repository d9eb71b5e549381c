package dockerhost

import (
	"strings"
	"testing"
)

func TestParseDockerHost(t *testing.T) {
	cases := map[string]struct {
		want Endpoint
		url  string
	}{
		"ssh://ops@10.0.1.4":                {Endpoint{Scheme: "ssh", User: "ops", Host: "10.0.1.4", Port: 22, Socket: DefaultSocket}, "ssh://ops@10.0.1.4:22"},
		"ssh://build-1.example.org:2222/":   {Endpoint{Scheme: "ssh", Host: "build-1.example.org", Port: 2222, Socket: DefaultSocket}, "ssh://build-1.example.org:2222"},
		"ssh://h/run/user/1000/docker.sock": {Endpoint{Scheme: "ssh", Host: "h", Port: 22, Socket: "/run/user/1000/docker.sock"}, "ssh://h:22/run/user/1000/docker.sock"},
		"ssh://[fd00::4]:2222":              {Endpoint{Scheme: "ssh", Host: "fd00::4", Port: 2222, Socket: DefaultSocket}, "ssh://[fd00::4]:2222"},
		"tcp://10.0.1.4":                    {Endpoint{Scheme: "tcp", Host: "10.0.1.4", Port: 2376}, "tcp://10.0.1.4:2376"},
		"tcp://10.0.1.4:2375":               {Endpoint{Scheme: "tcp", Host: "10.0.1.4", Port: 2375}, "tcp://10.0.1.4:2375"},
		"unix:///run/docker.sock":           {Endpoint{Scheme: "unix", Socket: "/run/docker.sock"}, "unix:///run/docker.sock"},
	}
	for input, c := range cases {
		got, err := ParseDockerHost(input)
		got = got.withDefaults(true)
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v", input, got, err)
		}
		if c.want.Scheme == "tcp" {
			c.want.Socket = ""
		}
		if got := strings.TrimSuffix(got.String(), "/"); got != c.url {
			t.Errorf("%s became %s, want %s", input, got, c.url)
		}
	}
}

func TestParseDockerHost_refusesWhatIsNotOne(t *testing.T) {
	for _, input := range []string{
		"", "10.0.1.4", "http://10.0.1.4", "ssh://", "ssh://a;rm -rf /@h", "ssh://h/../../etc/x.sock", "ssh://h/a b.sock", "ssh://h/$(id)",
		"ssh://h:0", "ssh://h:", "ssh://h:x", "ssh://-oProxyCommand=x", "ssh://-x@h", "ssh://h?x=y", "ssh://h#x", "tcp://h/path", "tcp://u@h",
		"unix://docker.sock", "unix:///run/../x", "unix://", "ssh://h/x'y", "npipe:////./pipe/docker_engine",
	} {
		if e, err := ParseDockerHost(input); err == nil {
			t.Errorf("%q was taken for %+v", input, e)
		}
	}
	for _, input := range []string{"ssh://ops:hunter2@h", "ssh://ops:hunter2@h:x", "ssh://ops:hunter2@[h", "ssh://ops:hunter2@h/%zz"} {
		if _, err := ParseDockerHost(input); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error is %v", input, err)
		}
	}
}

// Nothing that is accepted may need quoting in a shell, or look like an
// option.
func FuzzParseDockerHost(f *testing.F) {
	for _, seed := range []string{"ssh://ops@h:22/x.sock", "tcp://[::1]:1", "unix:///a", "ssh://a;b@h/'x'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		e, err := ParseDockerHost(input)
		if err != nil {
			return
		}
		for _, part := range []string{e.User, e.Host, e.Socket} {
			if strings.ContainsAny(part, " \t\n'\"`$;&|<>(){}*?!~\\") || strings.HasPrefix(part, "-") || strings.Contains(part, "..") && part == e.Socket && strings.Contains(part, "/../") {
				t.Errorf("%q was accepted with the part %q", input, part)
			}
		}
	})
}
