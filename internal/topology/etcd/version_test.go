package etcd

import (
	"fmt"
	"slices"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]string{
		"3.5.35": "3.5.35", "v3.5.35": "3.5.35", "v3.5.35-0": "3.5.35", "3.5.35-arm64": "3.5.35", "3.5.35-debian-12-r0": "3.5.35",
		"3.5.35+git": "3.5.35", "3.6.0-rc.5": "3.6.0-rc.5", "3.6.0-alpha.0+x": "3.6.0-alpha.0", "v3.6.0-rc.1-arm64": "3.6.0-rc.1",
		"": "", "v": "", "3.5": "", "v3.5": "", "latest": "", "3.5.": "", "3..5": "", "3.5.35.1": "", "3.5.-1": "", "+3.5.1": "", "vv3.5.1": "",
		"3.5.35-": "", "3.5.x": "", "0.0.0": "", "3.5.99999999999": "", "3.5.35 ": "",
	} {
		v, err := ParseVersion(text)
		got := v.String()
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("ParseVersion(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestVersionOfImage(t *testing.T) {
	for ref, want := range map[string]string{
		"quay.io/coreos/etcd:v3.5.35":                         "3.5.35",
		"localhost:5000/etcd:3.6.16":                          "3.6.16",
		"registry.k8s.io:443/etcd:3.5.15-0@sha256:0123456789": "3.5.15",
		"etcd:v3.6.0-rc.1":                                    "3.6.0-rc.1",
		"etcd":                                                "",
		"etcd:latest":                                         "",
		"etcd:v3.5":                                           "",
		"localhost:5000/etcd":                                 "",
		"10.0.0.1:3.5.35/etcd":                                "",
		"etcd@sha256:0123456789":                              "",
	} {
		v, ok := VersionOfImage(ref)
		if got := v.String(); ok && got != want || !ok && want != "" {
			t.Errorf("VersionOfImage(%q) = %s, %v, want %q", ref, got, ok, want)
		}
	}
}

func TestVersionOf(t *testing.T) {
	for _, c := range []struct{ image, told, want string }{
		{"etcd:v3.5.35", "", "3.5.35"},
		{"etcd:latest", "", "unknown"},
		{"etcd:latest", "v3.6.16", "3.6.16"},
		{"etcd:v3.5.35-0", "3.5.35", "3.5.35"},
		{"etcd:latest", "3.6", `Invalid version of etcd: "3.6" is not a version of etcd such as 3.5.35. Write all three numbers, as etcd --version does.`},
		{"etcd:v3.5.35", "3.6.16", "Version contradicts the image: etcd_version says 3.6.16 where the tag of the image etcd:v3.5.35 says 3.5.35. " +
			"Remove etcd_version, which is only for images whose tag does not tell."},
	} {
		v, err := VersionOf(c.image, c.told)
		got := v.String()
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("VersionOf(%q, %q): got\n%s\nwant\n%s", c.image, c.told, got, c.want)
		}
	}
}

func TestCheckRuns(t *testing.T) {
	for _, c := range []struct{ told, runs, want string }{
		{"3.6.16", "3.6.16", ""},
		{"3.6.16", "3.6.15", ""}, // what is done about it is the same
		{"", "3.5.35", ""},
		{"3.6.16", "", ""},
		{"3.6.16", "3.5.35", "what host h1 has as etcd:mine is etcd 3.5.35, not 3.6.16"},
	} {
		got := ""
		if err := CheckRuns("h1", "etcd:mine", c.told, c.runs); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("told %q, runs %q: got %q, want %q", c.told, c.runs, got, c.want)
		}
	}
}

func TestMayReturn(t *testing.T) {
	const none, mine = "", "etcd:mine"
	for name, c := range map[string]struct {
		old, told, runs string
		others          []string
		want            bool
	}{
		"others are as it was":            {"etcd:v3.5.35", "3.5.35", "3.6.16", []string{"3.5.35", "3.5.35"}, true},
		"another is older":                {"etcd:v3.6.16", "3.6.16", "3.7.3", []string{"3.5.35"}, true},
		"it came back with less":          {"etcd:v3.6.16", "3.6.16", "3.5.35", []string{"3.6.16"}, true},
		"it never worked":                 {"etcd:v3.5.35", "3.5.35", none, nil, true},
		"it is the only one":              {"etcd:v3.5.35", "3.5.35", "3.6.16", nil, false},
		"it was the last to go":           {"etcd:v3.5.35", "3.5.35", "3.7.3", []string{"3.6.16", "3.6.16"}, false},
		"only what it told is known":      {mine, "3.5.35", "3.6.16", []string{"3.5.35"}, true},
		"only what it told, the last":     {mine, "3.5.35", "3.6.16", []string{"3.6.16"}, false},
		"nothing is known of what it was": {mine, none, "3.6.16", []string{"3.6.16"}, true},
		"nothing is known of others":      {"etcd:v3.5.35", none, "3.6.16", []string{none}, false},
	} {
		m := at("h1", "etcd-1", "old")
		cluster := Membership{Peers: []Peer{{PeerURLs: []string{m.PeerURL()}}}, Versions: map[string]string{m.PeerURL(): c.told, "http://out:2380": "3.5.35"}}
		for i, v := range c.others {
			url := fmt.Sprintf("http://other-%d:2380", i)
			cluster.Peers, cluster.Versions[url] = append(cluster.Peers, Peer{PeerURLs: []string{url}}), v
		}
		if got := cluster.MayReturn(m, container.Found{Image: c.old}, c.runs); got != c.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	ascending := []string{"2.9.9", "3.4.99", "3.5.0", "3.5.9", "3.5.10", "3.6.0-alpha.0", "3.6.0-beta.1", "3.6.0-rc.2", "3.6.0-rc.10", "3.6.0", "3.10.0", "4.0.0"}
	for i, a := range ascending {
		for j, b := range ascending {
			got := parse(t, a).Compare(parse(t, b))
			if got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("%s against %s: %d", a, b, got)
			}
		}
	}
}

func parse(t *testing.T, text string) Version {
	t.Helper()
	v, err := ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestPromotionRules: etcd issue 19557 and pull requests 21494, 20874.
func TestPromotionRules(t *testing.T) {
	for text, want := range map[string][2]bool{
		"3.5.0": {true, false}, "3.5.1": {false, false}, "3.5.19": {false, false}, "3.5.20": {true, false}, "3.5.27": {true, false},
		"3.5.28": {true, true}, "3.6.0": {true, false}, "3.6.5": {true, false}, "3.6.6": {true, true}, "3.7.0": {true, true}, "3.8.1": {true, true},
	} {
		v := parse(t, text)
		if got := [2]bool{PromotionPersists(v), PromoteThroughFollowerSafe(v)}; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestCheckVersion(t *testing.T) {
	const cve = " lets anybody who reaches it list members, raise alarms and use leases even when authentication is on (CVE-2026-33413, fixed in 3.5.28 and 3.6.9)."
	for text, want := range map[string]string{
		"":           "",
		"3.5.35":     "",
		"3.5.28":     "",
		"3.5.27":     "warning: etcd 3.5.27" + cve,
		"3.5.3":      "warning: etcd 3.5.3" + cve,
		"3.6.8":      "warning: etcd 3.6.8" + cve,
		"3.6.9":      "",
		"3.7.0":      "",
		"3.7.0-rc.0": "warning: etcd 3.7.0-rc.0 is a pre-release.",
		"3.8.0":      "warning: etcd 3.8.0 is newer than this version of the provider knows (up to 3.7): its flags are taken to be those of 3.7.",
		"3.5.0":      "Unsafe version of etcd: etcd 3.5.0 can corrupt data when a member is killed under load (fixed in 3.5.3). Use 3.5.35. Nothing was changed.",
		"3.5.2":      "Unsafe version of etcd: etcd 3.5.2 can corrupt data when a member is killed under load (fixed in 3.5.3). Use 3.5.35. Nothing was changed.",
		"3.4.44":     "Unsafe version of etcd: etcd 3.4.44 is not supported: use 3.5 or later of etcd 3. Nothing was changed.",
		"3.5.0-rc.1": "Unsafe version of etcd: etcd 3.5.0-rc.1 is not supported: use 3.5 or later of etcd 3. Nothing was changed.",
		"4.0.0":      "Unsafe version of etcd: etcd 4.0.0 is not supported: use 3.5 or later of etcd 3. Nothing was changed.",
	} {
		var v Version
		if text != "" {
			v = parse(t, text)
		}
		warnings, err := CheckVersion(v)
		if got := told(Path{Warnings: warnings}, err); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", text, got, want)
		}
	}
}

// told writes what a check answered on one line.
func told(p Path, err error) string {
	if err != nil {
		return err.Error()
	}
	text := ""
	if p.Flush {
		text += "flush "
	}
	if p.Downgrade != "" {
		text += "downgrade to " + p.Downgrade + " "
	}
	for _, w := range p.Warnings {
		text += "warning: " + w
	}
	return text
}

func TestCheckChange(t *testing.T) {
	const (
		unsafe = "Unsafe version of etcd: "
		end    = " Nothing was changed."
		zombie = " or later: older patches can bring removed members back, or make voters learners again. On the way from etcd "
	)
	for _, c := range []struct {
		from []string
		to   string
		want string
	}{
		{nil, "3.5.35", ""},
		{nil, "", ""},
		{nil, "3.5.1", unsafe + "etcd 3.5.1 can corrupt data when a member is killed under load (fixed in 3.5.3). Use 3.5.35." + end},
		// The same version is no change.
		{[]string{"3.5.35", "3.5.35"}, "3.5.35", ""},
		{[]string{"3.5.1"}, "3.5.1", ""},
		// Within a minor version.
		{[]string{"3.5.28"}, "3.5.35", ""},
		{[]string{"3.5.35"}, "3.5.30", ""},
		{[]string{"3.5.1"}, "3.5.35", ""},
		{[]string{"3.5.28", "3.5.35"}, "3.5.35", ""},
		{[]string{"3.5.35"}, "3.5.2", unsafe + "etcd 3.5.2 can corrupt data when a member is killed under load (fixed in 3.5.3). Use 3.5.35." + end},
		// One minor up, with its floor.
		{[]string{"3.5.35"}, "3.6.16", ""},
		{[]string{"3.5.32"}, "3.6.16", ""},
		{[]string{"3.5.26"}, "3.6.16", "warning: etcd's guide asks for 3.5.32 or later before 3.6; 3.5.26 is running."},
		{[]string{"3.5.25"}, "3.6.16", unsafe + "Before etcd 3.6 all members must run 3.5.26" + zombie + "3.5.25 to 3.6.16 apply one after the other: 3.5.25 → 3.5.35 → 3.6.16." + end},
		{[]string{"3.5.35", "3.5.25", "3.6.16"}, "3.6.16", unsafe + "Before etcd 3.6 all members must run 3.5.26" + zombie + "3.5.25 to 3.6.16 apply one after the other: 3.5.25 → 3.5.35 → 3.6.16." + end},
		{[]string{"3.5.35"}, "3.6.3", unsafe + "etcd 3.6.3 may not start on data of 3.5 in which a learner was promoted (fixed in 3.6.4). Use 3.6.16." + end},
		{[]string{"3.5.35"}, "3.6.4", "warning: etcd 3.6.4 lets anybody who reaches it list members, raise alarms and use leases even when authentication is on (CVE-2026-33413, fixed in 3.5.28 and 3.6.9)."},
		{[]string{"3.6.16"}, "3.7.3", "flush "},
		{[]string{"3.6.11"}, "3.7.3", "flush "},
		{[]string{"3.6.10"}, "3.7.3", unsafe + "Before etcd 3.7 all members must run 3.6.11 or later: older patches may not work beside a member that runs 3.7. " +
			"On the way from etcd 3.6.10 to 3.7.3 apply one after the other: 3.6.10 → 3.6.16 → 3.7.3." + end},
		{[]string{"3.7.3"}, "3.8.0", "warning: etcd 3.8.0 is newer than this version of the provider knows (up to 3.7): its flags are taken to be those of 3.7."},
		// More than one minor up.
		{[]string{"3.5.25"}, "3.7.3", unsafe + "etcd is upgraded one minor version at a time. On the way from etcd 3.5.25 to 3.7.3 apply one after the other: 3.5.25 → 3.5.35 → 3.6.16 → 3.7.3." + end},
		{[]string{"3.5.33"}, "3.7.3", unsafe + "etcd is upgraded one minor version at a time. On the way from etcd 3.5.33 to 3.7.3 apply one after the other: 3.5.33 → 3.6.16 → 3.7.3." + end},
		{[]string{"3.6.16", "3.5.35"}, "3.7.3", unsafe + "etcd is upgraded one minor version at a time. On the way from etcd 3.5.35 to 3.7.3 apply one after the other: 3.5.35 → 3.6.16 → 3.7.3." + end},
		// Half-way up: on, or back, which is no downgrade yet.
		{[]string{"3.6.16", "3.5.35"}, "3.6.16", ""},
		{[]string{"3.6.16", "3.5.35"}, "3.5.35", ""},
		{[]string{"3.7.3", "3.6.16"}, "3.7.3", "flush "},
		{[]string{"3.7.3", "3.6.16"}, "3.6.16", ""},
		// One minor down.
		{[]string{"3.7.3"}, "3.6.16", "downgrade to 3.6 "},
		{[]string{"3.6.0"}, "3.5.35", "downgrade to 3.5 "},
		{[]string{"3.6.16"}, "3.5.28", "downgrade to 3.5 "},
		{[]string{"3.6.16", "3.6.15"}, "3.5.25", "downgrade to 3.5 warning: etcd 3.5.25 lets anybody who reaches it list members, raise alarms and use leases even when authentication is on " +
			"(CVE-2026-33413, fixed in 3.5.28 and 3.6.9).warning: etcd's guide asks for the latest patch of 3.5 to downgrade to; from 3.5.25 there is no way up again before 3.5.26."},
		// More than one minor down, below 3.5, other majors.
		{[]string{"3.7.3"}, "3.5.35", unsafe + "etcd is downgraded one minor version at a time. On the way from etcd 3.7.3 to 3.5.35 apply one after the other: 3.7.3 → 3.6.16 → 3.5.35." + end},
		{[]string{"3.5.35"}, "3.4.44", unsafe + "etcd 3.4.44 is not supported: use 3.5 or later of etcd 3." + end},
		{[]string{"3.4.44"}, "3.5.35", unsafe + "There is no way from etcd 3.4.44 to 3.5.35: this provider changes etcd 3 from 3.5 on." + end},
		{[]string{"4.0.0"}, "3.7.3", unsafe + "There is no way from etcd 4.0.0 to 3.7.3: this provider changes etcd 3 from 3.5 on." + end},
		{[]string{"3.7.3"}, "4.0.0", unsafe + "etcd 4.0.0 is not supported: use 3.5 or later of etcd 3." + end},
		// Nobody told what the image runs.
		{[]string{"3.5.35", "3.5.34"}, "", "Version of the image is unknown: The members run etcd 3.5.34, 3.5.35, and the tag of the new image does not tell what it runs, " +
			"so nothing can tell whether the change is safe. Nothing was changed. Use a tag with all three numbers, such as v3.5.35, or tell the version with etcd_version."},
	} {
		var from []Version
		for _, text := range c.from {
			from = append(from, parse(t, text))
		}
		var to Version
		if c.to != "" {
			to = parse(t, c.to)
		}
		for range 2 {
			if got := told(CheckChange(from, to)); got != c.want {
				t.Errorf("%v to %s: got\n%s\nwant\n%s", c.from, c.to, got, c.want)
			}
			slices.Reverse(from)
		}
	}
}

// TestSameVersionIsNeverRefused: that is no change of the version. Whether it
// may be configured at all is for CheckVersion.
func TestSameVersionIsNeverRefused(t *testing.T) {
	for _, text := range []string{"3.5.0", "3.5.2", "3.4.1", "4.0.0", "3.5.35"} {
		v := parse(t, text)
		if p, err := CheckChange([]Version{v, v}, v); err != nil || p.Flush || p.Downgrade != "" {
			t.Errorf("%s: %+v, %v", text, p, err)
		}
	}
}

// TestChangeWarnings: the plan tells what the way needs, and repeats nothing
// that validating has said of the version. A container may be of another version
// than it was made for.
func TestChangeWarnings(t *testing.T) {
	for _, c := range []struct {
		made, runs, wants string
		warned            int
	}{
		{"3.5.26", "3.5.26", "3.6.16", 1},
		{"3.5.35", "3.5.35", "3.6.16", 0},
		{"3.6.16", "3.6.16", "3.6.16", 0},
		{"3.6.16", "3.6.16", "3.5.20", 1},
		{"3.5.35", "3.6.16", "3.5.35", 1},
		{"3.6.16", "3.5.35", "3.6.16", 1},
	} {
		d := Desired{Cluster: "anka", Image: "etcd:v" + c.wants, Version: c.wants, Members: []Member{at("h1", "etcd-1", "old")}}
		was := d
		was.Image, was.Version = "etcd:v"+c.made, c.made
		o := Observed{
			Hosts:      map[string]topology.Reach{"h1": topology.Reachable},
			Containers: map[string][]container.Found{"h1": {createdFrom(was.Spec(d.Members[0], Bootstrap, "t"))}},
			Membership: Membership{Known: true, Peers: []Peer{{Name: "etcd-1", PeerURLs: []string{d.Members[0].PeerURL()}}}, Versions: map[string]string{d.Members[0].PeerURL(): c.runs}},
		}
		if got := ChangeWarnings(d, o); len(got) != c.warned {
			t.Errorf("made for %s, runs %s, wants %s: %q", c.made, c.runs, c.wants, got)
		}
	}
}
