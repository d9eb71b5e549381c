package main

import (
	"context"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// scaleBenchmark measures how a cluster of three members becomes one of five.
var scaleBenchmark = benchmark{
	name:  "scale",
	about: "terraform apply that takes an etcd cluster from three members to five, against the sum of what cannot be waited for less",
	note:  changeNote,
	run:   scale.measure,
}

const changeNote = `[2] A change of a cluster is measured in at most three rounds. The floor does it with raw API calls, on a cluster that
    was bootstrapped in the same way and had been connected for 5 s; both sides connect anew. Its waits include the 5 s
    of full connectivity that have to lie between two changes, which etcd itself does not insist on in every case.`

// What the floor of a scale waits for, per added member.
const (
	partAdmitted = "until etcd takes the member as a learner"
	partCreated  = "create and start its container"
	partPromoted = "until it has caught up and can be promoted"
)

var scale = change{
	what: "scale from three members to five [2]", members: changeHosts, image: images.Etcd35,
	floor: scaleFloor, parts: []string{partConnect, partSettled, partAdmitted, partCreated, partPromoted, partProof},
}

// scaleFloor adds all members but the first three, one by one.
func scaleFloor(ctx context.Context, f *floor, w *waits) error {
	l, err := f.lead(ctx, smallHosts)
	if err != nil {
		return err
	}
	defer l.Close()
	w.on(partConnect)
	leader := l.clients[l.leader]
	all := f.members
	defer func() { f.members = all }() // also of those that were not added yet
	for i := smallHosts; i < len(all); i++ {
		if i > smallHosts {
			if err := settle(ctx); err != nil {
				return err
			}
			w.on(partSettled)
		}
		m := all[i]
		var id uint64
		if err := until(ctx, "add "+m.name, func(ctx context.Context) error {
			added, err := leader.MemberAddAsLearner(ctx, []string{m.peerURL()})
			if err == nil {
				id = added.Member.ID
			}
			return err
		}); err != nil {
			return err
		}
		w.on(partAdmitted)
		// The list that a member starts with must be the cluster's.
		f.members = all[:i+1]
		if err := f.create(ctx, m, birth{state: "existing"}); err != nil {
			return err
		}
		if err := f.start(ctx, m); err != nil {
			return err
		}
		w.on(partCreated)
		if err := until(ctx, "promote "+m.name, func(ctx context.Context) error {
			_, err := leader.MemberPromote(ctx, id)
			return err
		}); err != nil {
			return err
		}
		w.on(partPromoted)
	}
	return nil
}
