// Package container is the pure part of what every service has in common: what
// a container is asked to be, how that is labelled and hashed, and how a
// container that was found differs from it. It belongs to the layer topology
// and does no I/O.
package container

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Spec is all that the provider asks of a container. Whatever a daemon fills
// in by itself is not in it and is therefore never compared.
type Spec struct {
	// Name is the container's name on its host, from [Name].
	Name string
	// Image is the reference as the user wrote it.
	Image string
	// Entrypoint replaces the image's entrypoint, to which Command is then the
	// arguments; empty keeps the image's own.
	Entrypoint []string
	// Command replaces the image's command; empty keeps the image's own.
	Command []string
	// BirthArgs are appended to Command but stay outside [Spec.Hash]: flags
	// that only matter when the service first starts on empty data.
	BirthArgs []string
	// Env is the plain environment.
	Env map[string]string
	// SecretEnv is the part of the environment that must be in no state, hash
	// or label. SecretVersion stands for it in [Spec.Hash].
	SecretEnv map[string]string
	// SecretVersion is the user's version of all secrets, any text.
	SecretVersion string
	// Labels are extra labels, beside those that [Spec.Owned] sets.
	Labels map[string]string
	// Ports are published on the host.
	Ports []Port
	// Mounts are host paths and volumes.
	Mounts []Mount
	// Restart is Docker's restart policy: no, always, unless-stopped or
	// on-failure.
	Restart string
	// Log is the log driver's rotation.
	Log Log
	// StopGrace is how long a stop waits between SIGTERM and SIGKILL.
	StopGrace time.Duration
	// Files are written into the container before it first starts.
	Files []File
	// Runtime is what the daemon gives it beside all that.
	Runtime
}

// Port publishes ContainerPort as HostPort, TCP, on HostIP (empty: all).
type Port struct {
	HostIP        string
	HostPort      int
	ContainerPort int
}

// MountType tells a host path from a named volume.
type MountType string

// The kinds of mounts.
const (
	Bind   MountType = "bind"
	Volume MountType = "volume"
)

// Mount puts Source, a host path or the name of a volume, at Target.
type Mount struct {
	Type     MountType
	Source   string
	Target   string
	ReadOnly bool
	// Borrowed: it is what another service has made for itself. It has to be
	// there, and is neither made nor deleted with this container.
	Borrowed bool `json:"Borrowed,omitempty"`
	// Existing host paths are not made by the daemon: one that is not there is
	// an error. It matters only when the container is made.
	Existing bool `json:"-"`
	// Options are those of the volume.
	Options VolumeOptions `json:",omitzero"`
	// Store tells in words where the data is when that is on no host, such as
	// "NFS 10.0.0.9:/export": what is mounted or configured says it too.
	Store string `json:"-"`
}

// Log is the rotation of the container's log. The driver is Docker's "local"
// or "json-file"; Docker itself rotates nothing by default.
type Log struct {
	Driver  string
	MaxSize string
	MaxFile int
}

// File is one file inside the container. Secret content stays outside the
// hash, as secret environment does.
type File struct {
	Path    string
	Content []byte
	Mode    int64
	Secret  bool
}

// hashed is the part of a Spec that a hash covers, in a form whose encoding is
// deterministic: maps are encoded by sorted keys, lists keep their order.
// Fields are added with omitempty only, so that a new field does not change
// the hash of containers that do not use it.
type hashed struct {
	Image         string            `json:"image"`
	Entrypoint    []string          `json:"entrypoint,omitempty"`
	Command       []string          `json:"command,omitempty"`
	Env           map[string]string `json:"env,omitempty"`
	SecretNames   []string          `json:"secret_names,omitempty"`
	SecretVersion string            `json:"secret_version,omitempty"`
	Ports         []Port            `json:"ports,omitempty"`
	Mounts        []Mount           `json:"mounts,omitempty"`
	Restart       string            `json:"restart,omitempty"`
	Log           Log               `json:"log"`
	StopGrace     time.Duration     `json:"stop_grace,omitempty"`
	Files         []hashedFile      `json:"files,omitempty"`
	Runtime
}

type hashedFile struct {
	Path    string `json:"path"`
	Content string `json:"content,omitempty"`
	Mode    int64  `json:"mode"`
}

// Hash is the fingerprint of what was asked for, 16 hex digits. A container
// whose hash label differs from the hash of its desired Spec has drifted. The
// name and labels are identity, not configuration, and are outside it; so are
// birth arguments and the values of secrets.
func (s Spec) Hash() string {
	h := hashed{
		Image: s.Image, Entrypoint: s.Entrypoint, Command: s.Command, Env: s.Env, SecretVersion: s.SecretVersion,
		Ports: sortedPorts(s.Ports), Mounts: sortedMounts(s.Mounts),
		Restart: s.Restart, Log: s.Log, StopGrace: s.StopGrace,
		Runtime: s.Runtime,
	}
	for name := range s.SecretEnv {
		h.SecretNames = append(h.SecretNames, name)
	}
	slices.Sort(h.SecretNames)
	for _, f := range s.Files {
		hf := hashedFile{Path: f.Path, Mode: f.Mode}
		if !f.Secret {
			hf.Content = string(f.Content)
		}
		h.Files = append(h.Files, hf)
	}
	slices.SortFunc(h.Files, func(a, b hashedFile) int { return compare(a.Path, b.Path) })
	// Encoding plain strings, numbers and maps of them cannot fail.
	encoded, _ := json.Marshal(h)
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:8])
}

func compare[T int | string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

func sortedPorts(ports []Port) []Port {
	sorted := slices.Clone(ports)
	slices.SortFunc(sorted, func(a, b Port) int {
		if a.HostPort != b.HostPort {
			return compare(a.HostPort, b.HostPort)
		}
		return compare(a.HostIP, b.HostIP)
	})
	return sorted
}

func sortedMounts(mounts []Mount) []Mount {
	// What is not mounted is in the environment.
	sorted := slices.DeleteFunc(slices.Clone(mounts), func(m Mount) bool { return m.Type == External })
	slices.SortFunc(sorted, func(a, b Mount) int { return compare(a.Target, b.Target) })
	return sorted
}
