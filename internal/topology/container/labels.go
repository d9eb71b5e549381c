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
	// LabelCertificate holds [Fingerprint] of the certificate that the service
	// in the container shows, so that it can be recognized without a CA.
	LabelCertificate = LabelPrefix + "certificate-sha256"
	// LabelScheme holds what the service in the container speaks, http or
	// https, because no daemon tells.
	LabelScheme = LabelPrefix + "scheme"
	// LabelTenure holds what all containers of a replication have in common, as
	// topology/registry writes it: whose replication it is, since when, from
	// which host, and by which authority's certificates.
	LabelTenure = LabelPrefix + "tenure"
	// LabelStore holds where data is that is on no host, see [Found.Storage].
	LabelStore = LabelPrefix + "store"
	// LabelRecord holds the attributes that the container was made of, as
	// JSON, so that a resource whose state was lost can be imported. Secrets
	// are not among them.
	LabelRecord = LabelPrefix + "configuration"
)

// Role is the kind of service a container runs.
type Role string

// The roles of the topology.
const (
	Etcd       Role = "etcd"
	Controller Role = "controller"
	Registry   Role = "registry"
	// Replication copies templates from the primary registry to the others.
	Replication Role = "registry-replication"
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

// incompleteSuffix names a container whose files have not all been written
// yet. A dot cannot be part of a valid name, so no instance is called so.
const incompleteSuffix = ".incomplete"

// IncompleteName is what a container that gets files is called until they are
// all written: under its final name a container is complete, also when the
// process that makes it dies in between.
func IncompleteName(name string) string { return name + incompleteSuffix }

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
	if store := stores(s.Mounts); store != "" {
		labels[LabelStore] = store
	}
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
