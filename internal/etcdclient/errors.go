package etcdclient

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Refusals of etcd that callers tell apart. They wrap etcd's own error.
var (
	// ErrUnhealthyCluster: not all members have been connected for about 5 s
	// yet. Trying again helps.
	ErrUnhealthyCluster = errors.New("not all members have been connected for some seconds")
	// ErrNotReady: the learner has not caught up with the leader yet. Trying
	// again helps.
	ErrNotReady = errors.New("the learner has not caught up with the leader")
	// ErrNotLearner: the member votes already, so an earlier promotion
	// succeeded whose answer was lost.
	ErrNotLearner = errors.New("the member is no learner")
	// ErrTooManyLearners: another learner has to be promoted or removed first.
	ErrTooManyLearners = errors.New("the cluster has a learner already")
	// ErrMemberExists: a member with that peer URL was added before.
	ErrMemberExists = errors.New("a member with that peer URL exists")
	// ErrMemberNotFound: the cluster has no such member.
	ErrMemberNotFound = errors.New("the cluster has no such member")
	// ErrNotEnoughStarted: with this change too few of the voters would be
	// running for a quorum.
	ErrNotEnoughStarted = errors.New("too few voters would be running for a quorum")
	// ErrNotLeader: the question went to a member that does not lead.
	ErrNotLeader = errors.New("this member is not the leader")
	// ErrNoLeader: the cluster has no leader, so it accepts nothing.
	ErrNoLeader = errors.New("the cluster has no leader")
	// ErrNoSpace: the database has reached its quota, so writes fail. Changes
	// of members still work.
	ErrNoSpace = errors.New("the database has reached its quota")
	// ErrCorrupt: members disagree about the data (alarm CORRUPT), so reads, writes
	// and leases fail. Changes of members go on.
	ErrCorrupt = errors.New("members of the cluster disagree about its data (alarm CORRUPT)")
	// ErrUnsupportedByLearner: learners answer few questions.
	ErrUnsupportedByLearner = errors.New("learners do not answer that")
	// ErrDowngradeInProgress: another downgrade has been enabled and neither
	// finished nor cancelled.
	ErrDowngradeInProgress = errors.New("another downgrade is in progress")
	// ErrDowngradeTarget: a downgrade goes to the minor version below the one that
	// the cluster works as. Some seconds after its members came to a later
	// version, or after a downgrade was cancelled, it still works as the older.
	ErrDowngradeTarget = errors.New("the cluster does not work as the minor version above that one")
	// ErrCorruptSnapshot: what arrived is not what the member sent.
	ErrCorruptSnapshot = errors.New("the snapshot is damaged")
)

// meanings gives etcd's refusals our names.
var meanings = []struct{ theirs, ours error }{
	{rpctypes.ErrUnhealthy, ErrUnhealthyCluster},
	{rpctypes.ErrMemberLearnerNotReady, ErrNotReady},
	{rpctypes.ErrMemberNotLearner, ErrNotLearner},
	{rpctypes.ErrTooManyLearners, ErrTooManyLearners},
	{rpctypes.ErrPeerURLExist, ErrMemberExists},
	{rpctypes.ErrMemberExist, ErrMemberExists},
	{rpctypes.ErrMemberNotFound, ErrMemberNotFound},
	{rpctypes.ErrMemberNotEnoughStarted, ErrNotEnoughStarted},
	{rpctypes.ErrNotLeader, ErrNotLeader},
	{rpctypes.ErrNoLeader, ErrNoLeader},
	{rpctypes.ErrNoSpace, ErrNoSpace},
	{rpctypes.ErrCorrupt, ErrCorrupt},
	{rpctypes.Error(rpctypes.ErrGRPCNotSupportedForLearner), ErrUnsupportedByLearner},
	{rpctypes.ErrDowngradeInProcess, ErrDowngradeInProgress},
	{rpctypes.ErrInvalidDowngradeTargetVersion, ErrDowngradeTarget},
}

// clarify turns etcd's wording of common troubles into ours and keeps the
// original.
func clarify(err error) error {
	// Not every call of etcd's client translates what gRPC returned.
	translated := rpctypes.Error(err)
	for _, m := range meanings {
		if errors.Is(translated, m.theirs) {
			return fmt.Errorf("%w: %w", m.ours, err)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded {
		return fmt.Errorf("no answer in time: %w", err)
	}
	return err
}

// failed says what was tried at which member, and why it could not be reached
// when that is what took the time.
func (c *Client) failed(what string, err error) error {
	clarified := clarify(err)
	if dialled := c.dialled.Load(); dialled != nil {
		clarified = fmt.Errorf("%w: %w", clarified, *dialled)
	}
	return fmt.Errorf("%s at etcd %s: %w", what, c.url, clarified)
}
