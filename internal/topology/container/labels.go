package container

import (
	"fmt"
	"maps"
	"regexp"
)

// Labels that every container and volume of the provider carries. What does
// not carry them is not ours and is never changed or removed.
const (
	// LabelPrefix is the reverse-DNS prefix of all labels.
	LabelPrefix = "io.github.anka-ha."
	// LabelOwner holds the name of the resource, such as the cluster's.
	LabelOwner = LabelPrefix + "owner"
	// LabelRole holds the [Role].
	LabelRole = LabelPrefix + "role"
	// LabelInstance holds the member's or host's key in the configuration.
	LabelInstance = LabelPrefix + "instance"
	// LabelHash holds [Spec.Hash] of what was asked for.
	LabelHash = LabelPrefix + "spec-hash"
	// LabelIncarnation holds the life of an instance's data: each new life of
	// an etcd member gets fresh data, so that stale data cannot poison it.
	LabelIncarnation = LabelPrefix + "incarnation"
)

// Role is the kind of service a container runs.
type Role string

// The roles of the topology.
const (
	Etcd       Role = "etcd"
	Controller Role = "controller"
	Registry   Role = "registry"
)

// Identity says whose container it is. Two containers with equal identity are
// the same instance on the same or another host.
type Identity struct {
	Owner    string
	Role     Role
	Instance string
}

// Name is the container's name: anka-<owner>-<role>-<instance>.
func (i Identity) Name() string {
	return fmt.Sprintf("anka-%s-%s-%s", i.Owner, i.Role, i.Instance)
}

// Selector are the labels shared by all containers of one owner and role.
func Selector(owner string, role Role) map[string]string {
	return map[string]string{LabelOwner: owner, LabelRole: string(role)}
}

// Owned returns the Spec under its identity's name, with the labels that make
// it ours and the hash of what it asks for.
func (s Spec) Owned(id Identity) Spec {
	labels := maps.Clone(s.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[LabelOwner] = id.Owner
	labels[LabelRole] = string(id.Role)
	labels[LabelInstance] = id.Instance
	labels[LabelHash] = s.Hash()
	s.Name = id.Name()
	s.Labels = labels
	return s
}

// NamePattern is what names of clusters, members, hosts and replicas must
// match. They become parts of container names, labels and paths, so nothing
// else is let through.
const NamePattern = `^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`

var name = regexp.MustCompile(NamePattern)

// ValidName reports whether s can be a name, see [NamePattern].
func ValidName(s string) bool { return name.MatchString(s) }
