package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// need is the one thing that has to happen next on one host.
type need int

const (
	nothing need = iota
	discard
	create
	start
	wait
	replace
	drop
	restore
	heal
)

// verdict is a need with its cause.
type verdict struct {
	host string
	need need
	why  string
	// replacing: an old container is kept while its successor comes up.
	replacing bool
	// serving: taking down what runs there is felt.
	serving bool
}

// judge decides what has to happen next on a reachable host of a replica.
func judge(d Desired, r Replica, o Observed) verdict {
	h := o.Hosts[r.Host]
	ready := alive(h.Container) && h.Ready
	v := verdict{host: r.Host, replacing: !absent(h.Previous)}
	// A replacement that was interrupted early has not stopped the old one yet.
	v.serving = ready || (!alive(h.Container) && alive(h.Previous))
	want := r.Spec.Labels[container.LabelHash]
	current := h.Container
	equal := ours(current, d.Identity(r.Host)) && (d.Partial || current.Hash() == want)
	set := func(n need, why string) verdict {
		v.need, v.why = n, why
		return v
	}
	switch current.Status {
	case container.Absent, "":
		switch {
		case !v.replacing:
			return set(create, "container is missing")
		case d.Partial || h.Previous.Hash() == want:
			return set(restore, "an interrupted replacement left it aside")
		default:
			return set(replace, "an interrupted replacement is finished")
		}
	case container.Created:
		switch {
		case !equal:
			return set(discard, "it was never started and its configuration changed")
		case v.replacing:
			return set(replace, "an interrupted replacement is finished")
		default:
			return set(start, "container was never started")
		}
	case container.Running, container.Restarting:
	case container.Exited:
		if equal && v.replacing {
			return set(replace, "an interrupted replacement is finished")
		}
		if equal {
			return set(start, "container is stopped")
		}
	default:
		return set(discard, fmt.Sprintf("container is %s", current.Status))
	}
	switch {
	case equal && !ready && !v.replacing && current.Hash() == o.Recorded[r.Host]:
		// It has served like this before, so this apply has not made it so.
		return set(heal, "not ready any more")
	case equal && !ready:
		return set(wait, "not ready yet")
	case ready && v.replacing && h.Unsettled:
		return set(wait, "it has to stay ready")
	case equal && v.replacing:
		return set(drop, "its successor is ready")
	case equal:
		return set(nothing, "")
	case v.replacing && ready:
		return set(drop, "its successor is ready")
	case v.replacing:
		return set(discard, "it did not get ready and its configuration changed")
	default:
		return set(replace, changed(current, r))
	}
}

// changed tells what makes a running container differ from what is desired, as
// far as the daemon's list of containers shows it.
func changed(found container.Found, r Replica) string {
	var causes []string
	if found.Image != "" && found.Image != r.Spec.Image {
		causes = append(causes, fmt.Sprintf("image changes from %s to %s", found.Image, r.Spec.Image))
	}
	for _, relocation := range relocations(r, found.Storage()) {
		causes = append(causes, relocation.String())
	}
	if len(causes) == 0 {
		return "configuration changed"
	}
	return strings.Join(causes, "; ")
}

// Next returns the one safe step toward d, nil when nothing is left to do, or
// an error that says why no safe step exists: [UnreachableError],
// [ForeignError], [PortTakenError].
//
// What does not serve is created or repaired on all hosts together. What
// serves is replaced on one host at a time, and the next host waits until every
// other is ready. Removals come last, but for waiting for a replica that has
// served as it is before: it holds back no removal, only replacements of what
// serves.
func Next(d Desired, o Observed) (topology.Step, error) {
	if err := check(d, o); err != nil {
		return nil, err
	}
	var verdicts []verdict
	for _, r := range d.sorted() {
		if host := o.Hosts[r.Host]; host.Reach == topology.Reachable {
			verdicts = append(verdicts, judge(d, r, o))
		}
	}
	if step := renewal(d, o, verdicts); step != nil {
		return step, nil
	}
	if step := pull(d, o, verdicts); step != nil {
		return step, nil
	}
	if step := clean(d, o); step != nil {
		return step, nil
	}
	// A replacement under way leaves its host without a service: finish it.
	for _, v := range verdicts {
		if v.replacing && !v.serving {
			return d.step(v), nil
		}
	}
	for _, n := range []need{drop, restore, discard, create, start, wait} {
		if group := having(verdicts, n); len(group) > 0 {
			return d.step(group...), nil
		}
	}
	if step, err := replacement(d, o, verdicts); step != nil || err != nil {
		return step, err
	}
	if step := removal(d, o); step != nil {
		return step, nil
	}
	if sick := having(verdicts, heal); len(sick) > 0 {
		return d.step(sick...), nil
	}
	return nil, nil
}

// replacement is the next step among hosts whose container is outdated. What
// serves nobody comes first, because nothing of it can be felt; what serves has
// to wait until every other host does. One that does not answer counts as one
// that does not serve: with it, taking down another would leave two hosts
// without the service.
func replacement(d Desired, o Observed, verdicts []verdict) (topology.Step, error) {
	outdated := having(verdicts, replace)
	if len(outdated) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(outdated, func(a, b verdict) int { return rank(a) - rank(b) })
	if !outdated[0].serving {
		return d.step(outdated[0]), nil
	}
	away := &UnreachableError{Role: d.Role, Spared: outdated[0].host}
	for _, r := range d.sorted() {
		if o.Hosts[r.Host].Reach != topology.Reachable {
			away.Hosts = append(away.Hosts, r.Host)
		}
	}
	if len(away.Hosts) > 0 {
		return nil, away
	}
	if sick := having(verdicts, heal); len(sick) > 0 {
		return d.step(sick...), nil
	}
	return d.step(outdated[0]), nil
}

// rank is the order of replacements: those that are under way come before
// those that have not begun.
func rank(v verdict) int {
	switch {
	case !v.serving:
		return 0
	case v.replacing:
		return 1
	default:
		return 2
	}
}

// clean removes what was not finished, wherever it is: nothing depends on it.
func clean(d Desired, o Observed) topology.Step {
	target := Target{Role: d.Role, Why: "an interrupted apply left it"}
	for _, name := range slices.Sorted(maps.Keys(o.Hosts)) {
		if host := o.Hosts[name]; host.Reach == topology.Reachable && ours(host.Incomplete, d.Identity(name)) {
			target.Hosts = append(target.Hosts, name)
		}
	}
	if len(target.Hosts) == 0 {
		return nil
	}
	return Clean{target}
}

func having(verdicts []verdict, n need) []verdict {
	return slices.DeleteFunc(slices.Clone(verdicts), func(v verdict) bool { return v.need != n })
}

// pull is needed on every host where a container is going to be created, now
// or later in this plan.
func pull(d Desired, o Observed, verdicts []verdict) topology.Step {
	hosts := map[string][]string{}
	var images []string
	for _, v := range verdicts {
		r := d.replica(v.host)
		creates := v.need == create || v.need == replace || v.need == discard
		if !creates || slices.Contains(o.Hosts[v.host].Pulled, r.Spec.Image) {
			continue
		}
		if hosts[r.Spec.Image] == nil {
			images = append(images, r.Spec.Image)
		}
		hosts[r.Spec.Image] = append(hosts[r.Spec.Image], v.host)
	}
	if len(images) == 0 {
		return nil
	}
	image := slices.Min(images)
	return Pull{Target{d.Role, hosts[image], "image must be on the hosts before anything changes"}, image}
}

func (d Desired) step(group ...verdict) topology.Step {
	target := Target{Role: d.Role}
	var causes []string
	for _, v := range group {
		target.Hosts = append(target.Hosts, v.host)
		if !slices.Contains(causes, v.why) {
			causes = append(causes, v.why)
		}
	}
	target.Why = strings.Join(causes, "; ")
	switch group[0].need {
	case discard:
		return Discard{target}
	case create:
		return Create{target}
	case start:
		return Start{target}
	case wait, heal:
		return Wait{target}
	case replace:
		return Replace{target}
	case drop:
		return Drop{target}
	default:
		return Restore{target}
	}
}

func removal(d Desired, o Observed) topology.Step {
	for _, name := range d.surplus(o) {
		host, id := o.Hosts[name], d.Identity(name)
		if host.has(id) {
			return Remove{Target{d.Role, []string{name}, name + " is no longer among the replicas"}}
		}
	}
	return nil
}
