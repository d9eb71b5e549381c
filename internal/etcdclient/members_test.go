package etcdclient_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

func TestMembership_learnerIsAddedPromotedAndRemoved(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t, images.Etcd35, 3)
	leads, follows := leader(t, cluster)
	newcomer, other := newServer(t, "etcd-4"), newServer(t, "etcd-5")

	var id uint64
	var list []etcdclient.Member
	refused := false
	eventually(t, "the cluster takes a learner", func(ctx context.Context) error {
		var err error
		id, list, err = leads.api.AddLearner(ctx, newcomer.peer)
		if err != nil && !errors.Is(err, etcdclient.ErrUnhealthyCluster) {
			t.Fatalf("a refusal that is not for the time being: %v", err)
		}
		refused = refused || err != nil
		return err
	})
	if !refused {
		t.Error("a cluster that has just started took a learner at once: the refusal was not tested")
	}
	if at := slices.IndexFunc(list, func(m etcdclient.Member) bool { return m.ID == id }); len(list) != 4 || at < 0 || !list[at].Learner ||
		list[at].Started() || list[at].PeerURLs[0] != newcomer.peer {
		t.Errorf("the member list has no unstarted learner %x: %+v", id, list)
	}
	_, _, err := leads.api.AddLearner(within(t, 5*time.Second), newcomer.peer)
	want(t, err, etcdclient.ErrMemberExists)
	_, _, err = leads.api.AddLearner(within(t, 5*time.Second), other.peer)
	want(t, err, etcdclient.ErrTooManyLearners)
	want(t, leads.api.Promote(within(t, 5*time.Second), id), etcdclient.ErrNotReady)

	newcomer.start(t, images.Etcd35, "existing", append(slices.Clone(cluster), newcomer))
	eventually(t, "the learner answers as one", func(ctx context.Context) error {
		status, err := newcomer.api.Status(ctx)
		if err == nil && (!status.Learner || len(status.Members) != 0 || status.Leader == 0) {
			err = errors.New("it is not")
		}
		return err
	})
	want(t, newcomer.api.CheckQuorum(within(t, 5*time.Second)), etcdclient.ErrUnsupportedByLearner)
	// etcd makes IDs of the peer URL and the second: the first attempt above met
	// an ID that exists, this one a URL.
	_, _, err = leads.api.AddLearner(within(t, 5*time.Second), newcomer.peer)
	want(t, err, etcdclient.ErrMemberExists)
	eventually(t, "the learner has caught up", func(ctx context.Context) error {
		err := leads.api.Promote(ctx, id)
		if err != nil && !errors.Is(err, etcdclient.ErrNotReady) && !errors.Is(err, etcdclient.ErrUnhealthyCluster) {
			t.Fatal(err)
		}
		return err
	})
	want(t, leads.api.Promote(within(t, 5*time.Second), id), etcdclient.ErrNotLearner)
	if got := leads.status(t).Members; len(got) != 4 {
		t.Errorf("the leader knows %d members", len(got))
	}

	want(t, follows.api.MoveLeader(within(t, 5*time.Second), id), etcdclient.ErrNotLeader)
	must(t, leads.api.MoveLeader(within(t, 5*time.Second), id))
	if status := newcomer.status(t); status.Leader != id {
		t.Errorf("%x leads, want %x", status.Leader, id)
	}
	old := leads.status(t).MemberID
	eventually(t, "the member is let go", func(ctx context.Context) error { return newcomer.api.Remove(ctx, old) })
	must(t, newcomer.api.Remove(within(t, 5*time.Second), old))
	if got := newcomer.status(t).Members; len(got) != 3 {
		t.Errorf("%d members after the removal", len(got))
	}
	want(t, newcomer.api.Promote(within(t, 5*time.Second), old), etcdclient.ErrMemberNotFound)
}

func TestAddVoter_isRefusedWhenItStopsTheCluster(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t, images.Etcd35, 3)
	leads, follows := leader(t, cluster)
	for _, s := range cluster {
		if s != leads && s != follows {
			s.kill()
		}
	}
	if err := leads.api.CheckQuorum(within(t, 5*time.Second)); err != nil {
		t.Errorf("two of three are no quorum: %v", err)
	}
	_, _, err := leads.api.AddVoter(within(t, 5*time.Second), newServer(t, "etcd-4").peer)
	if !errors.Is(err, etcdclient.ErrNotEnoughStarted) && !errors.Is(err, etcdclient.ErrUnhealthyCluster) {
		t.Fatalf("got %v", err)
	}
	if text := err.Error(); !strings.Contains(text, leads.client) || !strings.Contains(text, "etcdserver: ") {
		t.Errorf("the error names neither member nor etcd's own words: %s", text)
	}
	follows.kill()
	if err := leads.api.CheckQuorum(within(t, 2*time.Second)); err == nil {
		t.Error("one of three is a quorum")
	}
}

func TestStatus_ofTheStoppedMemberIsAnError(t *testing.T) {
	t.Parallel()
	cluster := startCluster(t, images.Etcd36, 1, "--quota-backend-bytes=8388608")
	s := cluster[0]
	status := s.status(t)
	if status.DBSizeQuota != 8388608 || status.DBSize == 0 || status.RaftTerm == 0 || status.DowngradeTarget != "" {
		t.Errorf("status %+v", status)
	}
	s.kill()
	_, err := s.api.Status(within(t, time.Second))
	if err == nil || !strings.Contains(err.Error(), s.client) || !strings.Contains(err.Error(), "connection refused") {
		t.Fatalf("the error does not say why: %v", err)
	}
	if err := s.api.CheckQuorum(within(t, time.Second)); err == nil {
		t.Error("a stopped member has a quorum")
	}
}
