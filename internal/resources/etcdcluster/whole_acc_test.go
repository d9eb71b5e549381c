package etcdcluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
)

// clusterState is what the state says of the cluster.
type clusterState struct {
	ClusterID string `json:"cluster_id"`
	Degraded  string `json:"degraded_reason"`
	Version   string
	Ready     bool
	Endpoints []string
	Members   map[string]struct {
		Host, ID, Data string
		PeerURL        string `json:"peer_url"`
	}
}

func (p *proof) state() clusterState {
	p.t.Helper()
	raw, err := p.workspace.Command(p.t.Context(), "show", "-json").Output()
	must(p.t, err)
	var shown struct {
		Values struct {
			RootModule struct {
				Resources []struct{ Values clusterState }
			} `json:"root_module"`
		}
	}
	must(p.t, json.Unmarshal(raw, &shown))
	if n := len(shown.Values.RootModule.Resources); n != 1 {
		p.t.Fatalf("%d resources are in the state", n)
	}
	return shown.Values.RootModule.Resources[0].Values
}

// whole: every member says the same: one cluster ID, the first one's, and the
// members that are configured with their peer URLs, none of them a learner. The
// state says it, too, and no other container of the cluster is on any host.
func (p *proof) whole() {
	p.t.Helper()
	state := p.state()
	if !state.Ready || !slices.Equal(state.Endpoints, p.endpoints()) || state.ClusterID != p.clusterID {
		p.t.Errorf("the state says ready %v, cluster %s, endpoints %v; want %s, %v", state.Ready, state.ClusterID, state.Endpoints, p.clusterID, p.endpoints())
	}
	for _, name := range slices.Sorted(maps.Keys(p.members)) {
		if err := p.sees(name, state); err != nil {
			p.t.Errorf("%s on %s: %v", name, p.members[name], err)
		}
	}
	p.containers()
}

// sees compares the member list of one member with configuration and state.
func (p *proof) sees(name string, state clusterState) error {
	status, err := statusAt(p.url(name))
	if err != nil {
		return err
	}
	var wrong []error
	if id := fmt.Sprintf("%x", status.ClusterID); id != p.clusterID {
		wrong = append(wrong, fmt.Errorf("cluster %s, not %s", id, p.clusterID))
	}
	if status.Leader == 0 {
		wrong = append(wrong, errors.New("no leader"))
	}
	if len(status.Members) != len(p.members) {
		wrong = append(wrong, fmt.Errorf("%d members, %d are configured", len(status.Members), len(p.members)))
	}
	for _, m := range status.Members {
		host, configured := p.members[m.Name]
		if !configured || m.Learner || len(m.PeerURLs) != 1 || m.PeerURLs[0] != fmt.Sprintf("http://%s:2380", p.lab.Host(host).Address) {
			wrong = append(wrong, fmt.Errorf("member %+v is not what is configured", m))
			continue
		}
		if said := state.Members[m.Name]; said.ID != fmt.Sprintf("%x", m.ID) || said.PeerURL != m.PeerURLs[0] || said.Data == "" {
			wrong = append(wrong, fmt.Errorf("member %+v is %+v in the state", m, said))
		}
	}
	return errors.Join(wrong...)
}

// containers: there is one container per member and none beside it, on every
// host that is up.
func (p *proof) containers() {
	p.t.Helper()
	want := map[string]string{}
	for name, host := range p.members {
		want[host] = "anka-acc-etcd-" + name
	}
	for _, host := range p.lab.Hosts {
		if !host.Running() {
			continue
		}
		if got := docker(p.t, p.lab, host.Name, "ps", "-a", "--format", "{{.Names}}"); got != want[host.Name] {
			p.t.Errorf("containers on %s: %q, want %q", host.Name, got, want[host.Name])
		}
	}
}

// leader is the member that leads.
func (p *proof) leader() string {
	p.t.Helper()
	var leads string
	await(p.t, "a member leads", func(context.Context) error {
		for name, host := range p.members {
			if !p.lab.Host(host).Running() {
				continue
			}
			if status, err := statusAt(p.url(name)); err == nil && status.Leader == status.MemberID && status.Leader != 0 {
				leads = name
				return nil
			}
		}
		return errors.New("no member leads")
	})
	return leads
}

// follower is the first member that does not lead.
func (p *proof) follower() string {
	p.t.Helper()
	leads := p.leader()
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(p.members)), func(name string) bool { return name == leads })
	return names[0]
}

// freeHost is a host that is up and has no member.
func (p *proof) freeHost() string {
	p.t.Helper()
	used := slices.Collect(maps.Values(p.members))
	for _, host := range p.lab.Hosts {
		if host.Running() && !slices.Contains(used, host.Name) {
			return host.Name
		}
	}
	p.t.Fatal("no host is free")
	return ""
}

// statusWithin is statusAt with a deadline of the caller's.
func statusWithin(ctx context.Context, endpoint string) (etcdclient.Status, error) {
	client, err := etcdclient.New(endpoint, dialer.DialContext)
	if err != nil {
		return etcdclient.Status{}, err
	}
	defer client.Close()
	return client.Status(ctx)
}
