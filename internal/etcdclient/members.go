package etcdclient

import (
	"context"
	"errors"
	"fmt"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// AddLearner adds a member without a vote under its peer URL, before it runs.
// It returns the new member's ID and the member list with it, sorted by ID.
// Errors: [ErrUnhealthyCluster] and [ErrTooManyLearners] until that is over,
// [ErrMemberExists] when an earlier attempt succeeded, [ErrNotEnoughStarted].
// Send it to the leader.
func (c *Client) AddLearner(ctx context.Context, peerURL string) (uint64, []Member, error) {
	added, err := c.client.MemberAddAsLearner(ctx, []string{peerURL})
	if err != nil {
		return 0, nil, c.failed(fmt.Sprintf("add learner %s", peerURL), err)
	}
	return added.Member.GetID(), members(added.Members), nil
}

// AddVoter adds a member that votes at once, before it runs, which raises the
// quorum by one that is not there yet. It is for etcd 3.5.1 to 3.5.19 only,
// which forget promotions (etcd issue 19557), and stops a cluster of one.
// Results and errors are those of [Client.AddLearner].
func (c *Client) AddVoter(ctx context.Context, peerURL string) (uint64, []Member, error) {
	added, err := c.client.MemberAdd(ctx, []string{peerURL})
	if err != nil {
		return 0, nil, c.failed(fmt.Sprintf("add voter %s", peerURL), err)
	}
	return added.Member.GetID(), members(added.Members), nil
}

// Promote gives a learner a vote. Errors: [ErrNotReady] until it has caught up,
// [ErrNotLearner] when it votes already, [ErrMemberNotFound],
// [ErrUnhealthyCluster]. Send it to the leader: through a follower it timed out
// with authentication on before 3.5.28 and 3.6.6.
func (c *Client) Promote(ctx context.Context, id uint64) error {
	if _, err := c.client.MemberPromote(ctx, id); err != nil {
		return c.failed(fmt.Sprintf("promote learner %x", id), err)
	}
	return nil
}

// Remove removes a member from the member list. That it is no longer there is
// success, because the answer to an earlier attempt may have been lost. Errors:
// [ErrUnhealthyCluster] and [ErrNotEnoughStarted] when the rest would lose its
// quorum. Move leadership away from it first.
func (c *Client) Remove(ctx context.Context, id uint64) error {
	_, err := c.client.MemberRemove(ctx, id)
	if err == nil {
		return nil
	}
	if err = c.failed(fmt.Sprintf("remove member %x", id), err); errors.Is(err, ErrMemberNotFound) {
		return nil
	}
	return err
}

// MoveLeader hands leadership over to another voter and returns when that one
// leads. It has to be asked of the leader; others return [ErrNotLeader].
func (c *Client) MoveLeader(ctx context.Context, to uint64) error {
	if _, err := c.client.MoveLeader(ctx, to); err != nil {
		return c.failed(fmt.Sprintf("move leadership to %x", to), err)
	}
	return nil
}

// members translates a member list and sorts it by ID.
func members(list []*pb.Member) []Member {
	out := make([]Member, 0, len(list))
	for _, m := range list {
		out = append(out, Member{
			ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs, Learner: m.IsLearner,
		})
	}
	slices.SortFunc(out, func(a, b Member) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return out
}
