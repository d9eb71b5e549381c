package container

// Status is a container's state in Docker's words, with absent and foreign
// added.
type Status string

// What a container can be found as. Unreachable is not among them: it is a
// property of the host, see topology.Reach.
const (
	// Absent: the host answered and has no container of this name.
	Absent Status = "absent"
	// Created: made, never started.
	Created Status = "created"
	// Running, including a container that is being restarted by its daemon
	// and is alive at the moment.
	Running Status = "running"
	// Restarting: ended by itself and is waiting for its restart policy.
	Restarting Status = "restarting"
	// Exited: ended, or stopped by someone.
	Exited Status = "exited"
	// Paused, dead or being removed: not something to start.
	Paused Status = "paused"
	Dead   Status = "dead"
	// Foreign: a container of this name that does not carry our labels.
	Foreign Status = "foreign"
)

// Found is a container as its host reported it, reduced to what decisions
// need.
type Found struct {
	// ID is Docker's ID, full length.
	ID string
	// Name without the leading slash.
	Name string
	// Image is the reference it was created from.
	Image  string
	Status Status
	// Detail is the daemon's own sentence: "Exited (1) 3 seconds ago".
	Detail string
	Labels map[string]string
	// Ports that are published on the host.
	Ports []Port
	// Mounts it was created with.
	Mounts []Mount
}

// Identity reads whose container it is from its labels; ok is false when it
// is not ours.
func (f Found) Identity() (id Identity, ok bool) {
	id = Identity{
		Owner:    f.Labels[LabelOwner],
		Role:     Role(f.Labels[LabelRole]),
		Instance: f.Labels[LabelInstance],
	}
	return id, id.Owner != "" && id.Role != "" && id.Instance != ""
}

// Hash is the fingerprint the container was created with, "" when not ours.
func (f Found) Hash() string { return f.Labels[LabelHash] }

// Pin is the fingerprint of the certificate that the service in it shows, ""
// when it has none that is known.
func (f Found) Pin() string { return f.Labels[LabelCertificate] }
