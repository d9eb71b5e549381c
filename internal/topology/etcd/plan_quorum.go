package etcd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// expected are the members that a silent cluster has, as far as is known.
func (l life) expected() []memberState {
	return filter(append(slices.Clone(l.states), l.former...), func(s memberState) bool { return s.member() && !s.Out })
}

// able are those of them that can be waited for.
func (l life) able() []memberState {
	return filter(l.expected(), func(s memberState) bool {
		// Of a silent host no container is known.
		runs := s.status() == container.Running || s.status() == container.Restarting
		return runs && !l.dataGone(s)
	})
}

// quorum refuses changes while nobody speaks for the cluster, and waits where
// a quorum of its members is there.
func (l life) quorum() (topology.Step, error) {
	if l.c.Known {
		return nil, nil
	}
	expected, able := l.expected(), l.able()
	n := len(expected)
	gone := filter(l.reachable(), func(s memberState) bool { return s.member() && l.dataGone(s) })
	if len(gone) > 0 && len(able) < Quorum(n) {
		return nil, dataGone(l.d, gone[0])
	}
	silent := silentHosts(expected)
	change := l.pending()
	switch {
	case len(able) >= Quorum(n) && (len(silent) == 0 || change != "" || len(gone) > 0):
		return Await{Members: members(able), Why: "no quorum of them answers"}, nil
	case change == "":
		return nil, nil
	}
	return nil, &Refusal{
		Attribute: "members", Summary: "Etcd cluster has no quorum",
		Detail: fmt.Sprintf("%s is wanted, but no quorum of the %d members of %s answers: a quorum is %d, and %s. "+
			"Nothing was changed. Bring them back first.", change, n, l.d.Cluster, Quorum(n), missing(expected, silent)),
	}
}

// missing tells who keeps the members from being a quorum.
func missing(expected []memberState, silent []string) string {
	var parts []string
	if len(silent) > 0 {
		parts = append(parts, "there is no answer from host "+strings.Join(silent, ", "))
	}
	for _, s := range expected {
		if s.reach == topology.Reachable && s.status() != container.Running {
			parts = append(parts, fmt.Sprintf("the container of %s is %s", s.place(), s.status()))
		}
	}
	return strings.Join(parts, ", and ")
}

// pending names a change that is wanted beyond repairs, "" when there is none.
func (l life) pending() string {
	for _, s := range l.states {
		if !s.member() {
			return "Adding " + s.place()
		}
	}
	for _, m := range l.d.Former {
		if !m.Out {
			return "Removing " + m.place()
		}
	}
	for _, s := range l.reachable() {
		if s.kept() {
			return "Finishing the replacement of " + s.place()
		}
		if s.container.Hash() != l.hash(l.d, s) {
			return "Changing " + s.place()
		}
	}
	return ""
}

// hash is the one that the member's container has when it is made of d.
func (l life) hash(d Desired, s memberState) string {
	return d.Spec(s.Member, s.birth(), s.token()).Labels[container.LabelHash]
}
