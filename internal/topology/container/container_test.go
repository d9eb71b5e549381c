package container

import (
	"encoding/pem"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func example() Spec {
	return Spec{
		Image: "image:1", Command: []string{"run"}, BirthArgs: []string{"--first"},
		Env: map[string]string{"A": "1", "B": "2"}, SecretEnv: map[string]string{"TOKEN": "hidden"}, SecretVersion: "1",
		Ports:   []Port{{HostPort: 80, ContainerPort: 8080}, {HostPort: 90, ContainerPort: 9090}},
		Mounts:  []Mount{{Type: Volume, Source: "v", Target: "/v"}, {Type: Bind, Source: "/b", Target: "/b"}},
		Restart: "always", Log: Log{MaxSize: "1m", MaxFile: 2}, StopGrace: time.Second,
		Files: []File{{Path: "/f", Content: []byte("text"), Mode: 0o600}, {Path: "/s", Content: []byte("secret"), Mode: 0o600, Secret: true}},
	}
}

// TestHashIsStable: containers carry the hash of an earlier version of the
// provider. If this changes, every container of every user is found to have
// drifted after an upgrade.
func TestHashIsStable(t *testing.T) {
	if got, want := example().Hash(), "0134db04969a7272"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
	s := example()
	s.Runtime = Runtime{
		Memory: 512 << 20, CPUs: 1_500_000_000, ExtraHosts: map[string]string{"b": "10.0.0.2", "a": "10.0.0.1"}, DNS: []string{"10.0.0.3"},
		Healthcheck: &Healthcheck{Command: []string{"check"}, Interval: time.Minute, Timeout: time.Second, StartPeriod: 2 * time.Second, Retries: 3},
	}
	if got, want := s.Hash(), "8a2c6c80f2e01274"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
	s.Runtime = Runtime{ExtraHosts: map[string]string{}, DNS: []string{}}
	if got, want := s.Hash(), "0134db04969a7272"; got != want {
		t.Errorf("with nothing in its lists the hash is %s, want %s", got, want)
	}
}

func TestFingerprint_isOfTheFirstCertificate(t *testing.T) {
	block := func(kind, content string) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte(content)}))
	}
	// SHA-256 of "leaf".
	const want = "9f91161f43433e49a6de6db680d79f60159f2e4ac9172621a12846428158440b"
	for text, want := range map[string]string{
		"":                             "",
		"no PEM":                       "",
		block("PRIVATE KEY", "secret"): "",
		block("CERTIFICATE", "leaf"):   want,
		"text before\n" + block("PRIVATE KEY", "secret") + block("CERTIFICATE", "leaf") + block("CERTIFICATE", "authority"): want,
	} {
		if got := Fingerprint([]byte(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestHashIgnoresWhatIsNoConfiguration(t *testing.T) {
	for name, change := range map[string]func(*Spec){
		"name":           func(s *Spec) { s.Name = "other" },
		"labels":         func(s *Spec) { s.Labels = map[string]string{"x": "y"} },
		"birth":          func(s *Spec) { s.BirthArgs = nil },
		"secret value":   func(s *Spec) { s.SecretEnv = map[string]string{"TOKEN": "other"} },
		"secret content": func(s *Spec) { s.Files[1].Content = []byte("other") },
		"order of ports": func(s *Spec) { s.Ports[0], s.Ports[1] = s.Ports[1], s.Ports[0] },
		"order of mounts": func(s *Spec) {
			s.Mounts[0], s.Mounts[1] = s.Mounts[1], s.Mounts[0]
		},
	} {
		s := example()
		change(&s)
		if s.Hash() != example().Hash() {
			t.Errorf("%s changed the hash", name)
		}
	}
}

func TestHashSeesEveryChange(t *testing.T) {
	for name, change := range map[string]func(*Spec){
		"image":          func(s *Spec) { s.Image = "image:2" },
		"command":        func(s *Spec) { s.Command = append(s.Command, "x") },
		"env":            func(s *Spec) { s.Env["A"] = "2" },
		"secret name":    func(s *Spec) { s.SecretEnv["OTHER"] = "" },
		"secret version": func(s *Spec) { s.SecretVersion = "2" },
		"port":           func(s *Spec) { s.Ports[0].HostPort++ },
		"mount":          func(s *Spec) { s.Mounts[0].ReadOnly = true },
		"restart":        func(s *Spec) { s.Restart = "no" },
		"log":            func(s *Spec) { s.Log.MaxFile++ },
		"grace":          func(s *Spec) { s.StopGrace++ },
		"entrypoint":     func(s *Spec) { s.Entrypoint = []string{"/bin/sh"} },
		"borrowed":       func(s *Spec) { s.Mounts[0].Borrowed = true },
		"content":        func(s *Spec) { s.Files[0].Content = []byte("other") },
		"mode":           func(s *Spec) { s.Files[1].Mode = 0o644 },
		"memory":         func(s *Spec) { s.Memory = 512 << 20 },
		"cpus":           func(s *Spec) { s.CPUs = 1e9 },
		"healthcheck":    func(s *Spec) { s.Healthcheck = &Healthcheck{} },
		"no healthcheck": func(s *Spec) { s.Healthcheck = &Healthcheck{Disabled: true} },
		"extra hosts":    func(s *Spec) { s.ExtraHosts = map[string]string{"registry": "10.0.1.4"} },
		"dns":            func(s *Spec) { s.DNS = []string{"10.0.0.2"} },
	} {
		s := example()
		change(&s)
		if s.Hash() == example().Hash() {
			t.Errorf("%s left the hash as it was", name)
		}
	}
}

func TestOwnedIsRecognized(t *testing.T) {
	id := Identity{Owner: "anka", Role: Etcd, Instance: "etcd-1"}
	spec := example()
	spec.Labels = map[string]string{"extra": "kept"}
	labels := maps.Clone(spec.Labels)
	owned := spec.Owned(id)
	if !maps.Equal(spec.Labels, labels) {
		t.Error("Owned changed the labels it was given")
	}
	found := Found{Labels: owned.Labels}
	if got, ours := found.Identity(); !ours || got != id || found.Hash() != spec.Hash() || owned.Name != "anka-anka-etcd-etcd-1" {
		t.Errorf("%+v %v %s %s", got, ours, found.Hash(), owned.Name)
	}
	if _, ours := (Found{Labels: Selector("anka", Etcd)}).Identity(); ours {
		t.Error("a container without an instance was taken for ours")
	}
}

// TestNamesAreHarmless: whatever gets through can neither leave a path nor
// end a word on a command line.
func TestNamesAreHarmless(t *testing.T) {
	for _, bad := range []string{
		"", "-a", "a-", "A", "a_b", "a.b", "a,b=", "a;rm -rf /", "../..", "a b", "a/b", "a\n", "é", "0123456789012345678901234567890123",
	} {
		if ValidName(bad) {
			t.Errorf("%q is a valid name", bad)
		}
	}
	for _, good := range []string{"a", "0", "etcd-1", "01234567890123456789012345678901"} {
		if !ValidName(good) {
			t.Errorf("%q is no valid name", good)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "name")
		if !ValidName(s) {
			return
		}
		for _, r := range s {
			if r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') {
				t.Fatalf("%q contains %q", s, r)
			}
		}
	})
}
