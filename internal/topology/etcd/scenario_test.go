package etcd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// scenario is a case in the making. Its language, a line each:
//
//	cluster 3                etcd-1 on h1 … etcd-3 on h3: proven before and whole, every
//	                         host with the image; etcd-1 leads. What follows changes it:
//	member etcd-1 h1 [incarnation=x] [peer=2999]   a configured member
//	former etcd-1 h1         a member that the state has and the configuration has not
//	                         (of a cluster: takes it out of the configuration)
//	out etcd-2 h2            one that the cluster has let go before
//	host x3 etcd-3 h3        etcd-3 on x3, which is another key of h3
//	born                     an earlier apply proved the cluster
//	proven | unproven        and nothing has changed since, or something has
//	silent h2 [but its member]   the host does not answer; its members are ill, or not
//	image h1                 the host has the image
//	noimage h1               it has not
//	image h1 old             the host has the image that the members run
//	data etcd-1              the member's data directory has a log
//	wiped etcd-1             it has none (members of a cluster have one)
//	looked h1                the host was asked for volumes
//	volume h1 name           a volume of the cluster
//	container h1 etcd-1 running [token=t birth=b image=i owner=o port=n settings=s flush]
//	                         in the place of what was there; absent takes it away
//	previous h1 etcd-1 exited [image=i]   kept by a replacement
//	peer h4 etcd-4 [learner] [unstarted] [ill]   the cluster's list has it
//	unlisted h2 etcd-2       the cluster's list has it not
//	ill etcd-2               the member does not answer
//	leader etcd-2            it leads
//	stranger http://x:1      the list has a member that nobody knows
//	mute                     nobody speaks for the cluster
//	alarm NOSPACE on etcd-1
//	downgrading 3.6.0        the cluster was told of a downgrade
//	works-as 3.7.0           the version that the cluster works as
//	ran 3.6.16               what the state knows the members to have run
//	member-runs h2 etcd-2 3.6.16   what this one says that it runs
//	runs 3.6.16              what all members run
//	wants 3.7.3              what is configured, as etcd:v3.7.3
//	relabels 3.5.35 3.7.3    the members run the first as etcd:latest, and etcd_version
//	                         says the second of it
//	snapshot-before          a snapshot is wanted before changes
//	settings x               other settings are configured
//	data-path /data/etcd
type scenario struct {
	t *testing.T
	d Desired
	o Observed
}

func parseScenario(t *testing.T, td *datadriven.TestData) (Desired, Observed) {
	s := &scenario{t: t, d: Desired{
		Cluster: "anka", Image: "etcd:v3.5.35", Version: "3.5.35", Token: "fresh-token", Settings: Settings{Restart: "always"},
	}, o: Observed{
		Hosts: map[string]topology.Reach{}, Containers: map[string][]container.Found{},
		Images: map[string]bool{}, OldImages: map[string]bool{}, Data: map[string]bool{}, Volumes: map[string][]string{},
		Membership: Membership{Healthy: map[string]bool{}, Versions: map[string]string{}},
	}}
	for _, line := range strings.Split(td.Input, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		options := map[string]string{}
		for _, w := range words[1:] {
			k, v, _ := strings.Cut(w, "=")
			options[k] = v
		}
		if !s.configure(words, options) && !s.observe(words, options) && !s.answer(words, options) {
			td.Fatalf(t, "unknown line %q", line)
		}
	}
	return s.d, s.o
}

// configure takes lines about what is wanted.
func (s *scenario) configure(words []string, options map[string]string) bool {
	switch words[0] {
	case "cluster":
		s.cluster(words[1])
	case "member":
		m := at(words[2], words[1], options["incarnation"])
		if peer := options["peer"]; peer != "" {
			m.PeerPort = s.number(peer)
		}
		s.d.Members = append(s.d.Members, s.host(m))
	case "former":
		m := at(words[2], words[1], "old")
		s.d.Members = slices.DeleteFunc(s.d.Members, func(o Member) bool { return o.Key() == m.Key() })
		s.d.Former = append(s.d.Former, s.host(m))
	case "ran":
		s.d.Ran = words[1]
	case "out":
		m := at(words[2], words[1], "old")
		m.Out = true
		s.d.Former = append(s.d.Former, s.host(m))
	case "host":
		m := at(words[3], words[2], "")
		m.Host = words[1]
		s.d.Members = append(s.d.Members, s.host(m))
		s.o.Images[m.Host], s.o.Containers[m.Host] = s.o.Images[words[3]], s.o.Containers[words[3]]
		delete(s.o.Containers, words[3])
	case "born":
		s.d.Born = true
	case "data-path":
		s.d.DataPath = words[1]
	case "snapshot-before":
		s.d.SnapshotBefore = true
	case "settings":
		s.d.Settings.ExtraArgs = []string{"--" + words[1]}
	case "wants":
		s.d.Version, s.d.Image = words[1], "etcd:v"+words[1]
		if words[1] == "latest" {
			s.d.Version, s.d.Image = "", "etcd:latest"
		}
	default:
		return false
	}
	return true
}

func at(host, name, incarnation string) Member {
	return Member{Name: name, Host: host, Address: "10.0.0." + host[1:], ClientPort: ClientPort, PeerPort: PeerPort, Incarnation: incarnation}
}

func (s *scenario) host(m Member) Member {
	if _, set := s.o.Hosts[m.Host]; !set {
		s.o.Hosts[m.Host] = topology.Reachable
	}
	return m
}

func (s *scenario) number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *scenario) cluster(size string) {
	n := s.number(size)
	s.d.Born, s.o.Proven = true, true
	for i := range n {
		m := s.host(at(fmt.Sprintf("h%d", i+1), fmt.Sprintf("etcd-%d", i+1), "old"))
		s.d.Members = append(s.d.Members, m)
		s.o.Images[m.Host], s.o.Data[m.Name] = true, true
		s.list(m, map[string]string{})
		found := createdFrom(s.d.Spec(m, Bootstrap, "first-token"))
		found.Status = container.Running
		s.o.put(m.Host, found)
	}
	s.o.Membership.Leader = s.d.Members[0].PeerURL()
}

// list puts a member on the cluster's list.
func (s *scenario) list(m Member, options map[string]string) {
	c := &s.o.Membership
	p := Peer{ID: newID(c.Peers), Name: m.Name, PeerURLs: []string{m.PeerURL()}}
	_, p.Learner = options["learner"]
	if _, unstarted := options["unstarted"]; unstarted {
		p.Name = ""
	}
	_, ill := options["ill"]
	c.Known = true
	c.Peers = append(c.Peers, p)
	c.Healthy[p.url()] = !ill && p.started()
	if c.Healthy[p.url()] {
		c.Versions[p.url()] = s.d.Version
	}
}

// ill: the member does not answer, so that it does not tell its version either.
func (s *scenario) ill(m Member) {
	delete(s.o.Membership.Healthy, m.PeerURL())
	delete(s.o.Membership.Versions, m.PeerURL())
}

// observe takes lines about hosts.
func (s *scenario) observe(words []string, options map[string]string) bool {
	switch words[0] {
	case "proven":
		s.o.Proven = true
	case "unproven":
		s.o.Proven = false
	case "silent":
		s.o.Hosts[words[1]] = topology.Unreachable
		delete(s.o.Containers, words[1])
		for _, m := range s.d.All() {
			if m.Host == words[1] && len(words) == 2 {
				s.ill(m)
			}
		}
	case "image":
		if len(words) == 3 {
			s.o.OldImages[words[1]] = true
		} else {
			s.o.Images[words[1]] = true
		}
	case "noimage":
		delete(s.o.Images, words[1])
	case "looked":
		s.o.Volumes[words[1]] = nil
	case "wiped":
		delete(s.o.Data, words[1])
	case "data":
		s.o.Data[words[1]] = true
	case "volume":
		s.o.Volumes[words[1]] = append(s.o.Volumes[words[1]], words[2])
	case "container":
		m := s.known(words[1], words[2])
		s.o.drop(s.d, m)
		if words[3] != "absent" {
			found := s.container(m, words[3], options)
			s.o.put(words[1], found)
			if v, told := VersionOfImage(found.Image); told && s.o.Membership.Healthy[m.PeerURL()] {
				s.o.Membership.Versions[m.PeerURL()] = v.String()
			}
		}
	case "previous":
		m := s.known(words[1], words[2])
		found := s.container(m, words[3], options)
		found.ID += "-previous"
		found.Name = PreviousName(s.d.identity(m))
		s.o.put(words[1], found)
	default:
		return false
	}
	return true
}

func (s *scenario) known(host, name string) Member {
	for _, m := range s.d.All() {
		if m.Host == host && m.Name == name {
			return m
		}
	}
	return Member{Name: name, Host: host}
}

// container makes a container as the desired cluster would, but for what the
// options change.
func (s *scenario) container(m Member, status string, options map[string]string) container.Found {
	d := s.d
	if image := options["image"]; image != "" {
		d.Image = image
		if v, told := VersionOfImage(image); told {
			d.Version = v.String()
		}
	}
	if settings := options["settings"]; settings != "" {
		d.Settings.ExtraArgs = []string{"--" + settings}
	}
	birth, token := Bootstrap, "fresh-token"
	if options["birth"] != "" {
		birth = Birth(options["birth"])
	}
	if options["token"] != "" {
		token = options["token"]
	}
	spec := d.Spec(m, birth, token)
	if _, flush := options["flush"]; flush {
		spec = d.FlushSpec(m, d.Image, token)
	}
	found := createdFrom(spec)
	found.ID = m.Host + "-" + m.Name
	found.Status = container.Status(status)
	if owner, set := options["owner"]; set {
		found.Labels = map[string]string{}
		if owner != "nobody" {
			found.Labels = container.Selector(owner, container.Etcd)
			found.Labels[container.LabelInstance] = m.Name
		}
	}
	if port := options["port"]; port != "" {
		found.Ports = append(found.Ports, container.Port{HostPort: s.number(port)})
	}
	return found
}

// answer takes lines about what the members say.
func (s *scenario) answer(words []string, options map[string]string) bool {
	c := &s.o.Membership
	switch words[0] {
	case "peer":
		s.list(s.host(at(words[1], words[2], "")), options)
	case "unlisted":
		url := at(words[1], words[2], "").PeerURL()
		c.Peers = slices.DeleteFunc(c.Peers, func(p Peer) bool { return p.url() == url })
	case "stranger":
		c.Peers = append(c.Peers, Peer{ID: newID(c.Peers), Name: "x", PeerURLs: words[1:2]})
	case "ill":
		for _, m := range s.d.All() {
			if m.Name == words[1] {
				s.ill(m)
			}
		}
	case "leader":
		for _, m := range s.d.All() {
			if m.Name == words[1] {
				c.Leader = m.PeerURL()
			}
		}
	case "mute":
		s.o.Membership = Membership{Healthy: map[string]bool{}, Versions: map[string]string{}}
	case "split":
		c.Split = strings.Join(words[1:], " ")
	case "member-runs":
		c.Versions[at(words[1], words[2], "").PeerURL()] = words[3]
	case "downgrading":
		c.DowngradeTarget = words[1]
	case "works-as":
		c.WorksAs = words[1]
	case "alarm":
		c.Alarms = append(c.Alarms, strings.Join(words[1:], " "))
	case "runs":
		s.runs("etcd:v"+words[1], words[1])
	case "relabels":
		s.runs("etcd:latest", words[1])
		s.d.Image, s.d.Version = "etcd:latest", words[2]
	default:
		return false
	}
	return true
}

func (s *scenario) runs(image, version string) {
	c := &s.o.Membership
	for url := range c.Versions {
		c.Versions[url] = version
	}
	d := s.d
	d.Image, d.Version = image, version
	for _, m := range d.All() {
		s.o.drop(d, m)
		found := createdFrom(d.Spec(m, Bootstrap, "first-token"))
		found.Status = container.Running
		s.o.put(m.Host, found)
	}
}
