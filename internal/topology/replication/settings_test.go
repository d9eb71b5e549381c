package replication_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

func TestProblems(t *testing.T) {
	for name, c := range map[string]struct {
		settings replication.Settings
		want     []string // attributes
	}{
		"nothing given":   {replication.Settings{}, nil},
		"all in order":    {replication.Settings{Every: "3h", BandwidthLimit: 1 << 20, MaxDeletePercent: 100, Exclude: []string{"*.bak", "vm_dir/x y"}, Transfers: 8, Port: 9000}, nil},
		"two schedules":   {replication.Settings{Interval: 5, Cron: "@daily"}, []string{"cron"}},
		"long interval":   {replication.Settings{Interval: 7200}, []string{"interval"}},
		"short every":     {replication.Settings{Every: "10s"}, []string{"every"}},
		"odd every":       {replication.Settings{Every: "90.5s"}, []string{"every"}},
		"no duration":     {replication.Settings{Every: "3"}, []string{"every"}},
		"no cron":         {replication.Settings{Cron: "* * *"}, []string{"cron"}},
		"numbers":         {replication.Settings{BandwidthLimit: 100, MaxDeletePercent: 101, Transfers: 33, Port: 65536}, []string{"bandwidth_limit", "max_delete_percent", "transfers", "port"}},
		"patterns":        {replication.Settings{Exclude: []string{"", "*", "/x", "x/", "a\nb", "./x"}}, slices.Repeat([]string{"exclude"}, 6)},
		"unusual folders": {replication.Settings{LayerDirs: []string{"../x"}, MetadataDir: "a b"}, []string{"", ""}},
	} {
		var got []string
		for _, problem := range c.settings.Problems() {
			got = append(got, problem.Attribute)
			if problem.Summary == "" || !strings.HasSuffix(problem.Detail, ".") {
				t.Errorf("%s: %+v", name, problem)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got problems of %q, want %q", name, got, c.want)
		}
	}
}

func file(t *testing.T, spec container.Spec, path string) container.File {
	t.Helper()
	for _, f := range spec.Files {
		if f.Path == path {
			return f
		}
	}
	t.Fatalf("there is no %s", path)
	return container.File{}
}

func TestSpecs(t *testing.T) {
	s := replication.Settings{Owner: "anka", RegistryID: "r1", Term: 3, Port: 9443, BindIP: "10.0.1.4", CredentialsVersion: "1", Restart: "unless-stopped"}
	storage := container.Mount{Type: container.Bind, Source: "/opt/registry", Target: "/mnt/vol"}
	credentials := replication.Credentials{CA: []byte("ca"), Cert: []byte("cert"), Key: []byte("key")}
	source, follower := s.Source(storage, credentials), s.Follower(storage, "fd00::4", credentials)

	if got, want := source.Mounts[0], (container.Mount{Type: container.Bind, Source: "/opt/registry", Target: "/srv/anka/data", ReadOnly: true}); got != want {
		t.Errorf("the source mounts %+v, want %+v", got, want)
	}
	if got := follower.Mounts[0]; got.ReadOnly || got.Target != replication.DataPath {
		t.Errorf("the follower mounts %+v", got)
	}
	if got, want := source.Ports, []container.Port{{HostIP: "10.0.1.4", HostPort: 9443, ContainerPort: 8443}}; !slices.Equal(got, want) {
		t.Errorf("the source publishes %+v, want %+v", got, want)
	}
	if !slices.Equal(source.Entrypoint, []string{"/bin/sh"}) || !slices.Equal(source.Command, []string{"/etc/anka/source.sh"}) {
		t.Errorf("the source runs %q %q", source.Entrypoint, source.Command)
	}
	if len(follower.Ports) != 0 {
		t.Errorf("the follower publishes %+v", follower.Ports)
	}
	settings := string(file(t, follower, "/etc/anka/settings").Content)
	for _, want := range []string{"SOURCE_URL='https://[fd00::4]:9443'\n", "TERM_NUMBER='3'\n", "MODE='interval'\nINTERVAL='5'\n", "LAYER_DIRS='images_dir state_file_dir'\n"} {
		if !strings.Contains(settings, want) {
			t.Errorf("the follower's settings lack %q:\n%s", want, settings)
		}
	}
	if key := file(t, follower, "/etc/anka/tls/key.pem"); key.Mode != 0o600 || !key.Secret {
		t.Errorf("the key's file is %+v", key)
	}

	other := s.Source(storage, replication.Credentials{})
	if other.Hash() != source.Hash() {
		t.Error("the hash depends on the credentials themselves")
	}
	s.CredentialsVersion = "2"
	if s.Source(storage, credentials).Hash() == source.Hash() {
		t.Error("the hash does not depend on the version of the credentials")
	}
	s.CredentialsVersion, s.Interval = "1", 9
	if s.Follower(storage, "fd00::4", credentials).Hash() == follower.Hash() {
		t.Error("the hash does not depend on the interval")
	}
}

func TestSettings_quoteForTheShell(t *testing.T) {
	s := replication.Settings{Exclude: []string{`a'b$(c)"d\`, "x y"}, Cron: "0 3 1,15 * *"}
	got := s.FollowerSettings(replication.Places{}, "https://h")
	for _, want := range []string{`EXCLUDE='a'\''b$(c)"d\` + "\nx y'\n", "MODE='cron'\n", "CRON_MINUTES=' 0 '\n", "CRON_DAYS=' 1 15 '\n", "CRON_DAYS_RESTRICTED='one'\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the settings lack %q:\n%s", want, got)
		}
	}
	if got := (replication.Settings{Every: "3h"}).FollowerSettings(replication.Places{}, ""); !strings.Contains(got, "INTERVAL='10800'\n") {
		t.Errorf("every = 3h gives\n%s", got)
	}
	for interval, want := range map[int]string{1: "0.5", 3: "1.5", 60: "5.0"} {
		if got := (replication.Settings{Interval: interval}).SourceSettings(replication.Places{}, ""); !strings.Contains(got, "TICK='"+want+"'\n") {
			t.Errorf("interval %d gives\n%s", interval, got)
		}
	}
}

func TestParseStatus(t *testing.T) {
	s, err := replication.ParseStatus([]byte(`{"role":"follower","in_sync":true,"generation":7,"last_success":"2026-05-01T12:00:00Z","ahead_count":1,"ahead":["images_dir/x.ank"],"held":[]}`))
	if err != nil || !s.InSync || s.Generation != 7 || !slices.Equal(s.Ahead, []string{"images_dir/x.ank"}) {
		t.Errorf("got %+v, %v", s, err)
	}
	at := time.Date(2026, 5, 1, 12, 0, 30, 0, time.UTC)
	for _, c := range []struct {
		status   replication.Status
		patience time.Duration
		want     time.Duration
		known    bool
	}{
		{s, time.Minute, 0, true},
		{s, time.Second, 30 * time.Second, true},
		{replication.Status{LastSuccess: s.LastSuccess}, time.Minute, 30 * time.Second, true},
		{replication.Status{}, time.Minute, 0, false},
	} {
		if lag, known := c.status.LagAt(at, c.patience); lag != c.want || known != c.known {
			t.Errorf("%+v, patience %v: got %v, %v, want %v, %v", c.status, c.patience, lag, known, c.want, c.known)
		}
	}
	for data, want := range map[string]string{"": "is not JSON", `{"role":"source"}`: `that of a "source"`} {
		if _, err := replication.ParseStatus([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", data, err, want)
		}
	}
	if _, err := replication.ParseSourceStatus([]byte(`{"role":"source","state":"ok","generation":1}`)); err != nil {
		t.Error(err)
	}
}
