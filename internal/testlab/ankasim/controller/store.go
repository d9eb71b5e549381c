package controller

import "context"

// Store keeps what all controllers of one cluster share, as JSON by kind and
// id. Every method returns an error when the store does not answer in time.
type Store interface {
	// Ready returns nil when the store answers reads right now.
	Ready(ctx context.Context) error
	// List returns all values of kind by id.
	List(ctx context.Context, kind Kind) (map[string][]byte, error)
	// Get returns one value and whether it is there.
	Get(ctx context.Context, kind Kind, id string) ([]byte, bool, error)
	// Put creates or replaces one value.
	Put(ctx context.Context, kind Kind, id string, value []byte) error
	// Delete removes one value and reports whether it was there.
	Delete(ctx context.Context, kind Kind, id string) (bool, error)
}

// Kind separates the values in a store.
type Kind string

// The kinds of values controllers share.
const (
	Nodes      Kind = "nodes"
	Instances  Kind = "instances"
	APIKeys    Kind = "apikeys"
	Challenges Kind = "challenges"
	Sessions   Kind = "sessions"
)
