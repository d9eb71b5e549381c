package compat_test

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
)

func release(t *testing.T, text string) compat.Release {
	t.Helper()
	if text == "" {
		return compat.Release{}
	}
	r, ok := compat.Parse(text)
	if !ok {
		t.Fatalf("%q is no release", text)
	}
	return r
}

// said are the problems, one per line: attribute, key and heading.
func said(problems []compat.Problem) string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, strings.TrimSuffix(p.Attribute+"."+p.Key, ".")+": "+p.Summary)
	}
	return strings.Join(lines, "\n")
}

const (
	oldRegistry = "image: Registry is too old for the controllers"
	oldEtcd     = "image: etcd is too old for the controllers"
)

// TestJudge_versions has a row on each side of every border.
func TestJudge_versions(t *testing.T) {
	for _, c := range []struct{ controllers, registry, etcd, want string }{
		{"1.19.9", "1.0.0", "3.4.0", ""},
		{"1.20.0", "1.18.9", "3.4.0", oldRegistry},
		{"1.20.0", "1.19.0", "3.4.0", ""},
		{"1.41.0", "1.19.0", "3.5.15", ""},
		{"1.41.1", "1.19.0", "3.5.15", oldEtcd},
		{"1.41.1", "1.19.0", "3.5.16", ""},
		{"1.41.1", "1.18.0", "3.5.15", oldRegistry + "\n" + oldEtcd},
		{"1.47.99", "1.19.0", "3.5.16", ""},
		{"1.48.0", "1.47.9", "3.5.21", oldRegistry},
		{"1.48.0", "1.48.0", "3.5.20", oldEtcd},
		{"1.48.0", "1.48.0", "3.5.21", ""},
		{"1.50.1", "1.48.0", "3.6.1", ""},
		{"1.50.1", "1.50.1", "3.7.0", ""},
		{"1.50.99", "1.47.0", "3.5.0", oldRegistry + "\n" + oldEtcd},
		{"2.3.0", "1.47.0", "3.5.20", oldRegistry + "\n" + oldEtcd}, // the newest rule holds on
		{"1.50.1", "", "", ""},
		{"", "1.0.0", "3.0.0", ""},
	} {
		got := said(compat.Judge(compat.Deployment{
			Controllers: compat.Known{Release: release(t, c.controllers)},
			Registries:  []compat.RegistryKnown{{Known: compat.Known{Release: release(t, c.registry)}}},
			Etcd:        []compat.Known{{Release: release(t, "3.7.0")}, {Release: release(t, c.etcd)}},
		}))
		if got != c.want {
			t.Errorf("controllers %q, registry %q, etcd %q: got\n%s\nwant\n%s", c.controllers, c.registry, c.etcd, got, c.want)
		}
	}
}

// TestJudge_detail: a problem tells both releases and where they were learnt,
// the rule, the way out, and how to overrule it.
func TestJudge_detail(t *testing.T) {
	d := compat.Deployment{
		Controllers: compat.Known{Release: release(t, "1.50.1"), Source: "tag of image x:v1.50.1"},
		Registries: []compat.RegistryKnown{
			{Known: compat.Known{URL: "http://10.0.1.5:8089", Release: release(t, "1.40.0"), Source: "it answers as 1.40.0-abc"}},
			{Known: compat.Known{URL: "http://10.0.1.4:8089", Release: release(t, "1.47.0"), Source: "tag of image y:1.47.0"}},
			{Known: compat.Known{URL: "http://10.0.1.4:8089", Release: release(t, "1.47.0"), Source: "tag of image y:1.47.0"}},
			{Known: compat.Known{URL: "http://10.0.1.6:8089", Release: release(t, "1.48.0"), Source: "it answers as 1.48.0"}},
		},
	}
	got := compat.Judge(d)
	const want = `Controllers 1.50.1 (tag of image x:v1.50.1) need registry 1.48.0 or newer, and there is:

registry at http://10.0.1.4:8089: 1.47.0 (tag of image y:1.47.0)
registry at http://10.0.1.5:8089: 1.40.0 (it answers as 1.40.0-abc)

The vendor's documentation says that controllers 1.48 to 1.50 need a registry from 1.48.0 on. ` +
		`Upgrade the registry first: set image of anka_registry to 1.48.0 or newer. In one apply with the controllers that happens in the right order ` +
		`when registry_urls refers to the resource; otherwise apply the registry alone before. Or keep the controllers older than 1.48.0. ` +
		`To go on all the same, set skip_compatibility_check = true on anka_controller.`
	if len(got) != 1 || got[0].Detail != want {
		t.Errorf("got  %+v\nwant %s", got, want)
	}
	d.Controllers.Release = release(t, "1.51.0")
	if got = compat.Judge(d); len(got) != 1 || !strings.Contains(got[0].Detail, "What 1.51.0 needs was not published when") {
		t.Errorf("got %+v", got)
	}
}

func TestJudge_rootToken(t *testing.T) {
	const oneSide, differ = "root_token_wo: Root token on one side only", "root_token_wo: Root tokens differ"
	for name, c := range map[string]struct {
		controllers string
		token       compat.Token
		door        compat.Door
		want        string
	}{
		"none on both":                 {"1.50.1", compat.TokenAbsent, compat.Open, ""},
		"the same":                     {"1.50.1", compat.TokenGiven, compat.Admits, ""},
		"only controllers":             {"1.50.1", compat.TokenGiven, compat.Open, oneSide},
		"only the registry":            {"1.50.1", compat.TokenAbsent, compat.Refuses, oneSide},
		"answers, nothing told":        {"1.50.1", compat.TokenGiven, compat.Unguarded, "root_token_wo: Registry may have no root token"},
		"answers, none on controllers": {"1.50.1", compat.TokenAbsent, compat.Unguarded, ""},
		"another":                      {"1.50.1", compat.TokenGiven, compat.Refuses, differ},
		"registry does not tell":       {"1.50.1", compat.TokenGiven, compat.DoorUnknown, ""},
		"token not known":              {"1.50.1", compat.TokenUnknown, compat.Open, ""},
		"token not known, a refusal":   {"1.50.1", compat.TokenUnknown, compat.Refuses, ""},
		"the first that needs it":      {"1.34.0", compat.TokenGiven, compat.Open, oneSide},
		"older may use certificates":   {"1.33.9", compat.TokenAbsent, compat.Refuses, ""},
		"release not known":            {"", compat.TokenAbsent, compat.Refuses, oneSide},
		"release not known, no token":  {"", compat.TokenAbsent, compat.Open, ""},
	} {
		t.Run(name, func(t *testing.T) {
			problems := compat.Judge(compat.Deployment{
				Controllers: compat.Known{Release: release(t, c.controllers)}, Token: c.token,
				Registries: []compat.RegistryKnown{{Known: compat.Known{URL: "http://10.0.1.4:8089"}, Door: c.door}},
			})
			if got := said(problems); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			for _, p := range problems {
				// What is in doubt stops nothing, so there is nothing to overrule.
				for _, part := range []string{"http://10.0.1.4:8089", "1.34.0", map[bool]string{true: "license", false: compat.Override}[p.Doubt]} {
					if !strings.Contains(p.Detail, part) {
						t.Errorf("%q is not in %s", part, p.Detail)
					}
				}
				if p.Doubt != (c.door == compat.Unguarded) {
					t.Errorf("in doubt: %t", p.Doubt)
				}
			}
		})
	}
}

func TestJudge_internalPort(t *testing.T) {
	for _, c := range []struct {
		controllers, url string
		bad              bool
	}{
		{"1.36.0", "http://10.0.1.4:8085", true},
		{"1.36.0", "http://anka-registry:8085/", true},
		{"1.50.1", "http://[fd00::4]:8085", true},
		{"1.35.9", "http://10.0.1.4:8085", false},
		{"", "http://10.0.1.4:8085", false},
		{"1.50.1", "http://10.0.1.4:8089", false},
		{"1.50.1", "http://10.0.1.4", false},
		{"1.50.1", "http://8085", false},
	} {
		problems := compat.Judge(compat.Deployment{
			Controllers: compat.Known{Release: release(t, c.controllers)},
			Locals:      []compat.Local{{URL: c.url, Attribute: "local_registry_urls", Key: "h1"}},
		})
		if c.bad != (said(problems) == "local_registry_urls.h1: Registry has no port 8085 any more") || c.bad != (len(problems) > 0) {
			t.Errorf("%s with %s: got %+v", c.controllers, c.url, problems)
		}
		for _, p := range problems {
			if !strings.Contains(p.Detail, "8089") || !strings.Contains(p.Detail, compat.Override) {
				t.Errorf("got %s", p.Detail)
			}
		}
	}
}

// TestRules_ofOneComponentGetStricter, so that the strictest rule is the one
// whose border an older controller stays below.
func TestRules_ofOneComponentGetStricter(t *testing.T) {
	last := map[compat.Component]compat.Rule{}
	for _, rule := range compat.Rules {
		before, exists := last[rule.Needs]
		if exists && (!before.From.Before(rule.From) || !before.AtLeast.Before(rule.AtLeast)) {
			t.Errorf("%+v comes after %+v", rule, before)
		}
		if rule.Because == "" || rule.AtLeast.IsZero() || rule.From.IsZero() {
			t.Errorf("%+v lacks something", rule)
		}
		last[rule.Needs] = rule
	}
}
