package provider

import (
	"strings"
	"testing"
)

// TestHosts_eachHasItsOwnDaemon: an attribute that is misspelt in a variable
// is dropped by Terraform, and then neither the local daemon nor that of
// another host may be taken for the host.
func TestHosts_eachHasItsOwnDaemon(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	const notSet = `hosts["h3"].docker_host: is not set`
	ssh := func(url string) object { return object{"docker_host": url} }
	key := object{"private_key": privateKey(t, "")}
	jump := func(address string) object {
		return object{"docker_host": "ssh://10.0.1.4", "ssh": object{"jump": object{"address": address}}}
	}
	cases := map[string]struct {
		hosts object
		env   string
		// offline and plan begin the only error of validation and of
		// configuration, "" for none.
		offline, plan, with string
	}{
		"another machine's address": {
			object{"h3": object{"address": "192.0.2.6"}},
			"", "",
			notSet + ", which means the Docker daemon of this machine, and 192.0.2.6 is not an address of this machine.", `"ssh://user@192.0.2.6"`,
		},
		"another machine's name":   {object{"h3": object{"address": "mac.invalid"}}, "", "", notSet, "mac.invalid is not an address"},
		"loopback":                 {object{"h3": object{"address": "127.0.0.1"}}, "", "", "", ""},
		"loopback by name":         {object{"h3": object{"address": "localhost"}}, "", "", "", ""},
		"said to be this machine":  {object{"h3": object{"address": "192.0.2.6", "docker_host": "unix:///var/run/docker.sock"}}, "", "", "", ""},
		"neither of both":          {object{"h3": object{}}, "", notSet + ", and neither is address.", notSet, "check the spelling"},
		"daemon of DOCKER_HOST":    {object{"h3": object{"address": "192.0.2.6"}}, "unix:///run/other.sock", "", "", ""},
		"address not known yet":    {object{"h3": object{"address": unknown{}}}, "", "", "", ""},
		"two without docker_host":  {object{"h2": object{"address": "127.0.0.1"}, "h3": object{"address": "127.0.0.1"}}, "", notSet, notSet, `that of host "h2"`},
		"two for DOCKER_HOST":      {object{"h2": object{"address": "127.0.0.1"}, "h3": object{"address": "127.0.0.1"}}, "unix:///run/x.sock", notSet, `hosts["h3"].docker_host: is the same Docker daemon as that of host "h2", unix:///run/x.sock.`, ""},
		"one of them DOCKER_HOST":  {object{"h2": ssh("ssh://10.0.1.4"), "h3": object{"address": "10.0.1.4"}}, "ssh://ops@10.0.1.4:22", "", `hosts["h3"].docker_host: is the same`, ""},
		"same endpoint":            {object{"h2": ssh("ssh://ops@Mac-1"), "h3": ssh("ssh://root@mac-1:22")}, "", `hosts["h3"].docker_host: is the same`, `hosts["h3"].docker_host: is the same`, `that of host "h2", ssh://mac-1:22`},
		"another port":             {object{"h2": ssh("ssh://10.0.1.4"), "h3": ssh("ssh://10.0.1.4:2222")}, "", "", "", ""},
		"another socket":           {object{"h2": ssh("ssh://10.0.1.4"), "h3": ssh("ssh://10.0.1.4/run/user/1/docker.sock")}, "", "", "", ""},
		"behind another jump host": {object{"h2": jump("ops@a"), "h3": jump("ops@b")}, "", "", "", ""},
		"behind the same one":      {object{"h2": jump("ops@a"), "h3": jump("a")}, "", `hosts["h3"].docker_host: is the same`, `hosts["h3"].docker_host: is the same`, "through a"},
		"jump host not known yet":  {object{"h2": jump("a"), "h3": object{"docker_host": "ssh://10.0.1.4", "ssh": object{"jump": unknown{}}}}, "", "", "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", c.env)
			config := object{"hosts": c.hosts, "ssh": key}
			expectOnly(t, "validate", validated(t, config), c.offline, "")
			_, details := configured(t, config)
			expectOnly(t, "configure", details, c.plan, c.with)
		})
	}
}

func expectOnly(t *testing.T, when string, got []string, begins, contains string) {
	t.Helper()
	if begins == "" && len(got) == 0 {
		return
	}
	if begins == "" || len(got) != 1 || !strings.Contains(got[0], begins) || !strings.Contains(got[0], contains) {
		t.Errorf("%s: got %q, want %s … %s", when, got, begins, contains)
	}
}

// TestHosts_twiceTheSameDaemonIsRefusedAtTheSecond, where the mistake is.
func TestHosts_twiceTheSameDaemonIsRefusedAtTheSecond(t *testing.T) {
	got := validated(t, object{"hosts": object{
		"h1": object{"docker_host": "tcp://10.0.1.4", "insecure": true}, "h2": object{"docker_host": "tcp://10.0.1.4:2375", "insecure": true},
	}})
	want := `("hosts").("h2").("docker_host"): Invalid host: hosts["h2"].docker_host: is the same Docker daemon as that of host "h1", ` +
		`tcp://10.0.1.4:2375. Two hosts on one machine would fail together. Every host needs a daemon of its own.`
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q\nwant %s", got, want)
	}
}
