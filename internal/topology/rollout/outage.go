package rollout

import "time"

// How long a host may be without its service when a change fails there, and what
// of that is for what, beginning with the moment at which the old container is
// told to end. Whoever gives one of them more, by ready_timeout or by
// graceful_shutdown_timeout, has the whole take longer by as much.
const (
	// Outage is the whole.
	Outage = time.Minute
	// ReadyTimeout is how long the successor may take until it is ready.
	ReadyTimeout = 30 * time.Second
	// PutBack is for ending the successor, and for the old container to start
	// and to be ready.
	PutBack = 10 * time.Second
	// StopGrace is what is left of it for the old container, before it is killed.
	StopGrace = Outage - ReadyTimeout - PutBack
)
