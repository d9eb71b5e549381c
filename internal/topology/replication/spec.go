package replication

import (
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

const (
	// Sentinel is the marker file in the root of every replica's storage. The
	// provider writes it at creation; it holds [Settings.RegistryID] and a line
	// feed. Where it is missing or another, replication stops: the disk is not
	// mounted, or was emptied.
	Sentinel = ".anka-registry"
	// StateDir is the directory in a replica's storage where its follower keeps
	// what it applied, and files until they are whole.
	StateDir = ".anka-replication"
	// StatusPath is the status file in both containers, see [ParseStatus] and
	// [ParseSourceStatus].
	StatusPath = "/run/anka/status.json"
	// PassNowPath is a file in a follower's container that makes it begin a pass
	// before its time. It removes the file.
	PassNowPath = "/run/anka/pass-now"
	// SnapshotPath is where the source keeps what it has listed: its manifests
	// are in m, by their hash.
	SnapshotPath = "/srv/anka/snapshot"
	// DataPath is where the storage is in both containers.
	DataPath = "/srv/anka/data"
	// AllowDeletionsFile is a file in [StateDir] that may be written by hand,
	// with the ID of a blocked deletion, to allow it once without an apply.
	AllowDeletionsFile = "allow-deletions"

	containerPort = 8443
	// stopGrace is ample: both programs end between two files.
	stopGrace = 10 * time.Second
)

// Credentials are PEM of the registry's own authority and of one side's
// certificate, made outside of this package. The source's certificate is for
// servers and names the address that followers use; a follower's is for
// clients. Both sides accept only certificates of the authority.
type Credentials struct {
	CA, Cert, Key []byte
}

// Source is the container beside the primary. It reads the storage and cannot
// write it. The hash covers no credentials but their version.
func (s Settings) Source(storage container.Mount, c Credentials) container.Spec {
	spec := s.spec(storage, c, "source.sh", SourceScript(), s.SourceSettings(inContainer, ":8443"))
	spec.Mounts[0].ReadOnly = true
	spec.Ports = []container.Port{{HostIP: s.BindIP, HostPort: orDefault(s.Port, DefaultPort), ContainerPort: containerPort}}
	return spec
}

// Follower is the container beside another replica. It pulls from the source
// on the primary's host, whose address is an IP or DNS name.
func (s Settings) Follower(storage container.Mount, primaryAddress string, c Credentials) container.Spec {
	return s.spec(storage, c, "follower.sh", FollowerScript(), s.FollowerSettings(inContainer, s.SourceURL(primaryAddress)))
}

// SourceURL is where followers find the source.
func (s Settings) SourceURL(primaryAddress string) string {
	return service.URL("https", primaryAddress, orDefault(s.Port, DefaultPort))
}

func (s Settings) spec(storage container.Mount, c Credentials, name, script, settings string) container.Spec {
	storage.Target = DataPath
	return container.Spec{
		Image:         orDefault(s.Image, DefaultImage),
		Entrypoint:    []string{"/bin/sh"}, // that of rclone's image is rclone
		Command:       []string{"/etc/anka/" + name},
		SecretVersion: s.CredentialsVersion,
		Mounts:        []container.Mount{storage},
		Restart:       s.Restart,
		Log:           s.Log,
		StopGrace:     stopGrace,
		Files: []container.File{
			{Path: "/etc/anka/" + name, Content: []byte(script), Mode: 0o755},
			{Path: "/etc/anka/settings", Content: []byte(settings), Mode: 0o644},
			{Path: "/etc/anka/tls/ca.pem", Content: c.CA, Mode: 0o644, Secret: true},
			{Path: "/etc/anka/tls/cert.pem", Content: c.Cert, Mode: 0o644, Secret: true},
			{Path: "/etc/anka/tls/key.pem", Content: c.Key, Mode: 0o600, Secret: true},
		},
	}
}
