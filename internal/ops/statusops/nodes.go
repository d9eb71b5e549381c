package statusops

import (
	"cmp"
	"context"
	"slices"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
)

// Node is a node of the cloud, as a controller lists it.
type Node = ankaapi.Node

// NodeStates are the documented states of nodes, sorted.
func NodeStates() []string { return slices.Sorted(slices.Values(ankaapi.NodeStates)) }

// NodeAnswer is what a controller says of its nodes.
type NodeAnswer struct {
	// Nodes are sorted by name, and by ID where names are the same.
	Nodes []Node
	// Failure tells why there is no list, "" when there is one.
	Failure string
	// Reachable: the controller answered at all.
	Reachable bool
}

// AskNodes asks a controller for its nodes; Question.Wait is of no matter. The
// errors are those of [Ask].
func AskNodes(ctx context.Context, q Question) (NodeAnswer, error) {
	client, err := q.client()
	if err != nil {
		return NodeAnswer{}, err
	}
	defer client.Close()
	nodes, err := client.Nodes(ctx)
	switch {
	case err == nil:
	case !q.AllowUnreachable || !tolerable(err) || ctx.Err() != nil:
		return NodeAnswer{}, err
	default:
		return NodeAnswer{Failure: err.Error(), Reachable: reached(err)}, nil
	}
	slices.SortFunc(nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return NodeAnswer{Nodes: nodes, Reachable: true}, nil
}
