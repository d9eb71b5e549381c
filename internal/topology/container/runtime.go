package container

import "time"

// Runtime is what the daemon gives a container beside its image, environment
// and files. The zero value leaves all of it to the daemon. It is part of what
// [Spec.Hash] covers, so its encoding never changes.
type Runtime struct {
	// Memory is the most that it may use, in bytes; 0 sets no limit.
	Memory int64 `json:"memory,omitempty"`
	// CPUs is how much processor time it may use, in billionths of one CPU;
	// 0 sets no limit.
	CPUs int64 `json:"cpus,omitempty"`
	// Healthcheck replaces the image's own; nil keeps that.
	Healthcheck *Healthcheck `json:"healthcheck,omitempty"`
	// ExtraHosts are additional names in its hosts file, with the address of
	// each.
	ExtraHosts map[string]string `json:"extra_hosts,omitempty"`
	// DNS are the name servers to ask, in this order; empty means the host's.
	DNS []string `json:"dns,omitempty"`
}

// Healthcheck is a command that the daemon runs in the container to tell
// whether it is healthy. A zero duration or count keeps Docker's default.
type Healthcheck struct {
	// Disabled turns off the image's own check; everything else is then empty.
	Disabled bool `json:"disabled,omitempty"`
	// Command is run without a shell. Exit code 0 means healthy.
	Command []string `json:"command,omitempty"`
	// Interval is the time between two runs, Timeout the longest a run may
	// take, StartPeriod the time after the start in which failures do not
	// count.
	Interval    time.Duration `json:"interval,omitempty"`
	Timeout     time.Duration `json:"timeout,omitempty"`
	StartPeriod time.Duration `json:"start_period,omitempty"`
	// Retries is the number of failures in a row that make it unhealthy.
	Retries int `json:"retries,omitempty"`
}
