package etcd

import (
	"path"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// incarnationLength is how many characters of a bootstrap's token name the
// data that it starts with: enough to tell lives apart, short enough to read.
const incarnationLength = 8

// Incarnation is the name of the data that a bootstrap with this token uses.
func Incarnation(token string) string {
	return token[:min(incarnationLength, len(token))]
}

// Data names where a member's data lies: a directory of the host when path is
// set, else a named volume. Every incarnation has its own, so that stale data
// cannot poison a member and nothing ever has to be wiped.
func (d Desired) Data(m Member, incarnation string) container.Mount {
	if d.DataPath != "" {
		return container.Mount{
			Type: container.Bind, Target: DataTarget,
			Source: path.Join(d.DataPath, d.Cluster, m.Name+"-"+incarnation),
		}
	}
	return container.Mount{
		Type: container.Volume, Target: DataTarget,
		Source: d.identity(m).Name() + "-" + incarnation,
	}
}

// Spec is the container of one member. The token and birth decide what it does
// on empty data only; they are outside the hash of the spec, and so is the
// incarnation of the data.
func (d Desired) Spec(m Member, birth Birth, token string) container.Spec {
	incarnation := m.Incarnation
	if incarnation == "" {
		incarnation = Incarnation(token)
	}
	state := "new"
	if birth != Bootstrap {
		state = "existing"
	}
	bindIP := d.Settings.BindIP
	if m.BindIP != "" {
		bindIP = m.BindIP
	}
	spec := container.Spec{
		Image:   d.Image,
		Command: append([]string{"etcd"}, d.flags(m)...),
		BirthArgs: []string{
			"--initial-cluster=" + d.initialCluster(),
			"--initial-cluster-state=" + state,
			"--initial-cluster-token=" + token,
		},
		Env: d.Settings.Env,
		Ports: []container.Port{
			{HostIP: bindIP, HostPort: m.ClientPort, ContainerPort: ClientPort},
			{HostIP: bindIP, HostPort: m.PeerPort, ContainerPort: PeerPort},
		},
		Restart:   d.Settings.Restart,
		Log:       d.Settings.Log,
		StopGrace: d.Settings.StopGrace,
		Labels: map[string]string{
			container.LabelIncarnation: incarnation,
			LabelToken:                 token,
			LabelBirth:                 string(birth),
			LabelRecord:                d.record(m),
		},
	}
	spec.Mounts = []container.Mount{d.Data(m, "")}
	owned := spec.Owned(d.identity(m))
	owned.Mounts = []container.Mount{d.Data(m, incarnation)}
	return owned
}

// JoinSpec is the container of a member that joins a cluster with this member
// list, on fresh data. etcd refuses to start a member that is given another
// list than the cluster's.
func (d Desired) JoinSpec(m Member, token string, peers []Peer) container.Spec {
	m.Incarnation = ""
	spec := d.Spec(m, Join, token)
	var list []string
	for _, p := range peers {
		// Names may repeat in a cluster, but not here: etcd would take two
		// members for one with two URLs. It compares URLs only, so that the
		// others can be called anything.
		name := "member-" + HexID(p.ID)
		if p.url() == m.PeerURL() {
			name = m.Name
		}
		list = append(list, name+"="+p.url())
	}
	spec.BirthArgs[0] = "--initial-cluster=" + strings.Join(list, ",")
	return spec
}

func (d Desired) initialCluster() string {
	var peers []string
	for _, m := range d.sorted() {
		peers = append(peers, m.Name+"="+m.PeerURL())
	}
	return strings.Join(peers, ",")
}

// IncarnationOf reads the incarnation back from the name that [Desired.Data]
// gave the member's data, "" when the name is not such a one.
func (d Desired) IncarnationOf(m Member, data string) string {
	prefix := d.Data(m, "").Source
	if len(data) <= len(prefix) || data[:len(prefix)] != prefix {
		return ""
	}
	return data[len(prefix):]
}
