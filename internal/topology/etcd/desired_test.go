package etcd

import (
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

func three() Desired {
	return Desired{
		Cluster: "anka", Image: "etcd:v3.5.35",
		Members: []Member{
			{Name: "etcd-2", Host: "h2", Address: "10.0.0.2", ClientPort: 2379, PeerPort: 2380},
			{Name: "etcd-1", Host: "h1", Address: "10.0.0.1", ClientPort: 2379, PeerPort: 2380},
			{Name: "etcd-3", Host: "h3", Address: "fd00::3", ClientPort: 12379, PeerPort: 12380},
		},
		Settings: Settings{
			Tuned: map[string]string{"auto_compaction_mode": "periodic", "auto_compaction_retention": "30m", "quota_backend_bytes": "1073741824"},
			Env:   map[string]string{"GOGC": "50"}, ExtraArgs: []string{"--max-txn-ops=256"}, Restart: "always",
		},
	}
}

func TestSpecHoldsTheVendorsWiring(t *testing.T) {
	d := three()
	spec := d.Spec(d.Members[2], Bootstrap, "0123456789abcdef")
	want := []string{
		"etcd", "--name=etcd-3", "--data-dir=/etcd-data",
		"--listen-client-urls=http://0.0.0.0:2379", "--advertise-client-urls=http://[fd00::3]:12379",
		"--listen-peer-urls=http://0.0.0.0:2380", "--initial-advertise-peer-urls=http://[fd00::3]:12380",
		"--auto-compaction-mode=periodic", "--auto-compaction-retention=30m", "--quota-backend-bytes=1073741824",
		"--max-txn-ops=256",
	}
	if !slices.Equal(spec.Command, want) {
		t.Errorf("command\n%q, want\n%q", spec.Command, want)
	}
	wantBirth := []string{
		"--initial-cluster=etcd-1=http://10.0.0.1:2380,etcd-2=http://10.0.0.2:2380,etcd-3=http://[fd00::3]:12380",
		"--initial-cluster-state=new", "--initial-cluster-token=0123456789abcdef",
	}
	if !slices.Equal(spec.BirthArgs, wantBirth) {
		t.Errorf("birth arguments\n%q, want\n%q", spec.BirthArgs, wantBirth)
	}
	if want := "anka-anka-etcd-etcd-3-01234567"; spec.Mounts[0].Source != want {
		t.Errorf("volume %q, want %q", spec.Mounts[0].Source, want)
	}
	if spec.Ports[0] != (container.Port{HostPort: 12379, ContainerPort: 2379}) {
		t.Errorf("client port %+v", spec.Ports[0])
	}
	d.DataPath = "/var/etcd-data"
	if got, want := d.Spec(d.Members[0], Bootstrap, "0123456789abcdef").Mounts[0].Source, "/var/etcd-data/anka/etcd-2-01234567"; got != want {
		t.Errorf("directory %q, want %q", got, want)
	}
}

// TestHashCoversWhatRuns: birth, token and incarnation leave the hash alone;
// everything that shapes a running member changes it.
func TestHashCoversWhatRuns(t *testing.T) {
	d := three()
	hash := func(d Desired, m Member, birth Birth, token string) string {
		return d.Spec(m, birth, token).Labels[container.LabelHash]
	}
	base := hash(d, d.Members[0], Bootstrap, "one-token")
	again := d.Members[0]
	again.Incarnation = "another"
	if got := hash(d, again, Rejoin, "two-token"); got != base {
		t.Errorf("birth, token or incarnation changed the hash")
	}
	fewer := three()
	fewer.Members = fewer.Members[:2]
	if got := hash(fewer, fewer.Members[0], Bootstrap, "one-token"); got != base {
		t.Errorf("another member changed the hash")
	}
	for name, change := range map[string]func(*Desired, *Member){
		"image":       func(d *Desired, _ *Member) { d.Image = "etcd:v3.5.34" },
		"address":     func(_ *Desired, m *Member) { m.Address = "10.0.0.9" },
		"client port": func(_ *Desired, m *Member) { m.ClientPort = 1 },
		"peer port":   func(_ *Desired, m *Member) { m.PeerPort = 1 },
		"bind ip":     func(d *Desired, _ *Member) { d.Settings.BindIP = "10.0.0.2" },
		"data path":   func(d *Desired, _ *Member) { d.DataPath = "/data/etcd" },
		"compaction":  func(d *Desired, _ *Member) { d.Settings.Tuned["auto_compaction_retention"] = "1h" },
		"quota":       func(d *Desired, _ *Member) { d.Settings.Tuned["quota_backend_bytes"] = "1073741825" },
		"env":         func(d *Desired, _ *Member) { d.Settings.Env = map[string]string{"GOGC": "51"} },
		"args":        func(d *Desired, _ *Member) { d.Settings.ExtraArgs = nil },
		"restart":     func(d *Desired, _ *Member) { d.Settings.Restart = "no" },
		"log":         func(d *Desired, _ *Member) { d.Settings.Log.MaxFile = 7 },
	} {
		changed := three()
		m := changed.Members[0]
		change(&changed, &m)
		if hash(changed, m, Bootstrap, "one-token") == base {
			t.Errorf("%s is outside the hash", name)
		}
	}
}

func TestProblems(t *testing.T) {
	cases := map[string]struct {
		members []Member
		want    []string
	}{
		"none": {three().Members, nil},
		"same port on one host": {
			[]Member{
				{Name: "a", Host: "h1", ClientPort: 2379, PeerPort: 2380},
				{Name: "b", Host: "h1", ClientPort: 2379, PeerPort: 12380},
				{Name: "c", Host: "h2", ClientPort: 2379, PeerPort: 2380},
			},
			[]string{
				"b client_port Port used twice: client_port of a and client_port of b are both host h1 port 2379. Give each its own port.",
				"warning   Several etcd members on one host: a, b are all on host h1: when it fails, they all fail together, which a cluster of 3 members does not survive (1 of 3 left, a quorum is 2).",
			},
		},
		"same port on two hosts of one address": {
			[]Member{
				{Name: "a", Host: "h1", Address: "10.0.0.1", ClientPort: 2379, PeerPort: 2380},
				{Name: "b", Host: "h2", Address: "10.0.0.1", ClientPort: 3379, PeerPort: 2379},
				{Name: "c", Host: "h3", Address: "10.0.0.3", ClientPort: 2379, PeerPort: 2380},
			},
			[]string{"b peer_port Port used twice: client_port of a and peer_port of b are both 10.0.0.1 port 2379. Give each its own port."},
		},
		"client port equals peer port": {
			[]Member{{Name: "a", Host: "h1", ClientPort: 2379, PeerPort: 2379}},
			[]string{"a peer_port Port used twice: client_port of a and peer_port of a are both host h1 port 2379. Give each its own port."},
		},
		"even": {
			[]Member{{Name: "a", Host: "h1", ClientPort: 1, PeerPort: 2}, {Name: "b", Host: "h2", ClientPort: 1, PeerPort: 2}},
			[]string{"warning   Even number of etcd members: With 2 members a quorum is 2, so the cluster survives the loss of 0: as many as with 1, with more that can go wrong."},
		},
		"five with two on a host": {
			[]Member{
				{Name: "a", Host: "h1", ClientPort: 1, PeerPort: 2},
				{Name: "b", Host: "h1", ClientPort: 3, PeerPort: 4},
				{Name: "c", Host: "h2", ClientPort: 1, PeerPort: 2},
				{Name: "d", Host: "h3", ClientPort: 1, PeerPort: 2},
				{Name: "e", Host: "h4", ClientPort: 1, PeerPort: 2},
			},
			[]string{"warning   Several etcd members on one host: a, b are all on host h1: when it fails, they all fail together, which a cluster of 5 members survives."},
		},
		"unknown values": {[]Member{{Name: "a"}, {Name: "b"}, {Name: "c"}}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range (Desired{Members: c.members}).Problems() {
				kind := ""
				if p.Warning {
					kind = "warning "
				}
				got = append(got, kind+p.Member+" "+p.Attribute+" "+p.Summary+": "+p.Detail)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestSameDaemon(t *testing.T) {
	d := three()
	if p, warn := d.SameDaemon(map[string]string{"h1": "a", "h2": "b", "h3": ""}); warn {
		t.Errorf("%+v", p)
	}
	p, warn := d.SameDaemon(map[string]string{"h1": "a", "h2": "b", "h3": "a"})
	if want := "h1 and h3 are the same Docker daemon, reached in different ways: its members fail together."; !warn || p.Detail != want {
		t.Errorf("%v %q", warn, p.Detail)
	}
}
