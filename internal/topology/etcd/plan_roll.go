package etcd

import (
	"fmt"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// flushCount is how few entries a flushing member writes between two raft
// snapshots; the default is 10 000.
const flushCount = "--snapshot-count=10"

// roll puts members that differ from the configuration on new containers:
// followers first, the leader last and after leadership was moved, each proven
// before the next.
func (l life) roll() (topology.Step, error) {
	var outdated []memberState
	for _, s := range l.states {
		if s.reach == topology.Reachable && s.container.Hash() != l.wanted(s) {
			outdated = append(outdated, s)
		}
	}
	if len(outdated) == 0 {
		return nil, nil
	}
	if err := l.refuseVoluntary("replacing " + outdated[0].place()); err != nil {
		return nil, err
	}
	change, err := l.change()
	if err != nil {
		return nil, err
	}
	for _, s := range outdated {
		if conflict := portConflict(l.o, s); conflict != nil {
			return nil, conflict
		}
	}
	if hosts := lacking(l.o, outdated); len(hosts) > 0 {
		return Pull{Image: l.d.Image, Hosts: hosts}, nil
	}
	if step := l.snapshot("members are replaced"); step != nil {
		return step, nil
	}
	if change.Downgrade != "" && !l.o.Downgrading {
		return Downgrade{To: change.Downgrade}, nil
	}
	if change.Flush {
		unflushed := filter(outdated, func(s memberState) bool { return !l.flushed(s) })
		if len(unflushed) > 0 {
			return l.replaceNext(unflushed, true), nil
		}
	}
	return l.replaceNext(outdated, false), nil
}

// replaceNext takes the first that does not lead; the leader hands over first.
func (l life) replaceNext(outdated []memberState, flush bool) topology.Step {
	for _, s := range outdated {
		if s.PeerURL() != l.c.Leader {
			return l.replacement(s, flush, l.why(s, flush))
		}
	}
	leader := outdated[0]
	// Those that have been replaced come first: they do not have to hand over
	// once more.
	var done, others []memberState
	for _, s := range l.states {
		if s.container.Hash() == l.wanted(s) {
			done = append(done, s)
		} else {
			others = append(others, s)
		}
	}
	if step := l.moveLeader(leader, append(done, others...), "the leader is to be replaced"); step != nil {
		return step
	}
	return l.replacement(leader, flush, l.why(leader, flush))
}

func (l life) replacement(s memberState, flush bool, why string) topology.Step {
	all, up := l.c.voters()
	if l.c.Healthy[s.PeerURL()] {
		up--
	}
	return Replace{Member: s.Member, Flush: flush, Why: why, Left: up, Total: all}
}

func (l life) why(s memberState, flush bool) string {
	switch {
	case flush:
		return "3.7 cannot read entries that 3.5 left in the log"
	case s.container.Image != l.d.Image:
		return fmt.Sprintf("image changes from %s to %s", s.container.Image, l.d.Image)
	default:
		return "its settings change"
	}
}

// FlushSpec is the member as it runs, but taking raft snapshots often. It is
// only made of members that run 3.6.
func (d Desired) FlushSpec(m Member, image, token string) container.Spec {
	d.Image, d.Version = image, "3.6.0"
	if v, told := VersionOfImage(image); told {
		d.Version = v.String()
	}
	d.Settings.ExtraArgs = append(append([]string{}, d.Settings.ExtraArgs...), flushCount)
	return d.Spec(m, Rejoin, token)
}

// flushed: the member runs the container that flushes its log. What it has to
// write for that is written before its next replacement.
func (l life) flushed(s memberState) bool {
	return s.container.Hash() == l.d.FlushSpec(s.Member, s.container.Image, s.token()).Labels[container.LabelHash]
}

// flushing: the container that was put aside for is one that flushes.
func (l life) flushing(s memberState) bool {
	change, err := l.change()
	return err == nil && change.Flush && s.previous.Image == s.container.Image && s.container.Hash() != l.wanted(s)
}

// change is what the way from the running versions to the desired one needs.
func (l life) change() (Path, error) {
	var running []Version
	renewed := false
	for _, s := range l.states {
		if v, err := ParseVersion(l.c.Versions[s.PeerURL()]); err == nil {
			running = append(running, v)
		}
		renewed = renewed || s.container.Image != l.d.Image
	}
	if !renewed {
		return Path{}, nil
	}
	to, err := ParseVersion(l.d.Version)
	if err != nil {
		return Path{}, &Refusal{
			Attribute: "image", Summary: "Version of etcd is not known",
			Detail: fmt.Sprintf("Which version of etcd the image %s runs cannot be told from its tag, so that it cannot be told either whether the way to it is safe. "+
				"Nothing was changed. Use a tag with a version, such as v3.5.35, or set etcd_version.", l.d.Image),
		}
	}
	return CheckChange(running, to)
}
