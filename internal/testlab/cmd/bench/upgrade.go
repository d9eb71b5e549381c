package main

import (
	"context"
	"errors"
	"fmt"

	dockercontainer "github.com/docker/docker/api/types/container"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// upgradeBenchmark measures a rolling upgrade to the next minor version.
var upgradeBenchmark = benchmark{
	name:  "upgrade",
	about: "terraform apply that upgrades three etcd members one by one from 3.5 to 3.6, against the sum of what cannot be waited for less",
	note:  changeNote,
	run:   upgrade.measure,
}

// What the floor of an upgrade waits for, per member; leadership moves once.
const (
	partMoved    = "move leadership"
	partStopped  = "stop the old container"
	partReplaced = "create and start the new one"
	partCaughtUp = "until the member is back and has caught up"
)

var upgrade = change{
	what: "rolling upgrade of three members from 3.5 to 3.6 [2]", members: smallHosts, image: images.Etcd36,
	floor: upgradeFloor, parts: []string{partConnect, partSettled, partMoved, partStopped, partReplaced, partCaughtUp, partProof},
}

// upgradeFloor replaces the followers and then the leader.
func upgradeFloor(ctx context.Context, f *floor, w *waits) error {
	l, err := f.lead(ctx, len(f.members))
	if err != nil {
		return err
	}
	defer l.Close()
	w.on(partConnect)
	order := rollingOrder(len(f.members), l.leader)
	for place, i := range order {
		if place > 0 {
			if err := settle(ctx); err != nil {
				return err
			}
			w.on(partSettled)
		}
		if i == l.leader {
			if _, err := l.clients[i].MoveLeader(ctx, l.ids[order[0]]); err != nil {
				return fmt.Errorf("move leadership: %w", err)
			}
			w.on(partMoved)
		}
		// The next in the order is one that stays while this one is away.
		if err := f.replace(ctx, f.members[i], l.clients[order[(place+1)%len(order)]], l.clients[i], w); err != nil {
			return fmt.Errorf("replace %s: %w", f.members[i].name, err)
		}
	}
	return nil
}

// rollingOrder has the leader last.
func rollingOrder(members, leader int) []int {
	var order []int
	for i := range members {
		if i != leader {
			order = append(order, i)
		}
	}
	return append(order, leader)
}

// replace puts a member on a new container and waits until it has what another
// one had when it went away.
func (f *floor) replace(ctx context.Context, m *floorMember, other, own *clientv3.Client, w *waits) error {
	before, err := other.Status(ctx, other.Endpoints()[0])
	if err != nil {
		return err
	}
	if err := m.docker.ContainerStop(ctx, m.running(), dockercontainer.StopOptions{}); err != nil {
		return err
	}
	w.on(partStopped)
	if err := f.create(ctx, m, birth{state: "existing"}); err != nil {
		return err
	}
	if err := f.start(ctx, m); err != nil {
		return err
	}
	w.on(partReplaced)
	err = until(ctx, "wait for it", func(ctx context.Context) error {
		now, err := own.Status(ctx, own.Endpoints()[0])
		if err != nil {
			return err
		}
		return caughtUp(now, before.RaftAppliedIndex)
	})
	w.on(partCaughtUp)
	return err
}

// caughtUp is an error unless the member follows a leader and has applied the
// log up to the index.
func caughtUp(member *clientv3.StatusResponse, index uint64) error {
	switch {
	case member.Leader == 0:
		return errors.New("it knows no leader")
	case member.RaftAppliedIndex < index:
		return fmt.Errorf("it has applied the log up to %d of %d", member.RaftAppliedIndex, index)
	default:
		return nil
	}
}
