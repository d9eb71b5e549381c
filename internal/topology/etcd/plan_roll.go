package etcd

import (
	"fmt"
	"slices"

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
		if s.reach == topology.Reachable && s.container.Hash() != l.hash(l.d, s) {
			outdated = append(outdated, s)
		}
	}
	if len(outdated) == 0 {
		return nil, nil
	}
	if err := l.refuseVoluntary("replacing " + outdated[0].place()); err != nil {
		return nil, err
	}
	if err := l.refuseOtherVersion(); err != nil {
		return nil, err
	}
	for _, s := range outdated {
		if conflict := portConflict(l.d, l.o, s); conflict != nil {
			return nil, conflict
		}
	}
	if hosts := lacking(l.o, l.d, l.d, outdated...); len(hosts) > 0 {
		return Pull{Image: l.d.Image, Hosts: hosts}, nil
	}
	if step := l.snapshot("members are replaced"); step != nil {
		return step, nil
	}
	if l.way.Downgrade != "" && !l.o.Downgrading {
		return Downgrade{To: l.way.Downgrade}, nil
	}
	if l.way.Flush {
		unflushed := filter(outdated, func(s memberState) bool { return !l.flushed(s) })
		if len(unflushed) > 0 {
			return l.replaceNext(unflushed, true), nil
		}
	}
	return l.replaceNext(outdated, false), nil
}

// otherVersion is the first member that runs another version than its container,
// which is as it should be, was made for, and what is wrong with it.
func (l life) otherVersion() (memberState, error) {
	for _, s := range l.states {
		if s.container.Hash() != l.hash(l.d, s) {
			continue // it is going to be replaced
		}
		if err := CheckRuns(s.Host, s.container.Image, l.d.Version, l.c.Versions[s.PeerURL()]); err != nil {
			return s, err
		}
	}
	return memberState{}, nil
}

// refuseOtherVersion refuses to give others what one has already.
func (l life) refuseOtherVersion() error {
	s, err := l.otherVersion()
	if err == nil {
		return nil
	}
	return &Refusal{
		Member: s.Name, Summary: "Etcd member of another version",
		Detail: fmt.Sprintf("%s runs another version than it was made for: %s. The others were not replaced. %s", s.place(), err, OtherVersion),
	}
}

// replaceNext takes the first that does not lead; the leader hands over first.
func (l life) replaceNext(outdated []memberState, flush bool) topology.Step {
	for _, s := range outdated {
		if s.PeerURL() != l.c.Leader {
			return l.rolled(s, flush)
		}
	}
	leader := outdated[0]
	// Those that have been replaced come first: they do not have to hand over
	// once more.
	var done, others []memberState
	for _, s := range l.states {
		if s.container.Hash() == l.hash(l.d, s) {
			done = append(done, s)
		} else {
			others = append(others, s)
		}
	}
	if step := l.moveLeader(leader, append(done, others...), "the leader is to be replaced"); step != nil {
		return step
	}
	return l.rolled(leader, flush)
}

func (l life) rolled(s memberState, flush bool) topology.Step {
	step := l.replacement(s, l.d, l.why(s, l.d))
	if step.Flush = flush; flush {
		step.Why = "3.7 cannot read entries that 3.5 left in the log"
	}
	return step
}

func (l life) replacement(s memberState, of Desired, why string) Replace {
	all, up := l.c.voters()
	if !l.c.Known {
		all = len(l.expected())
	}
	if l.c.Healthy[s.PeerURL()] {
		up--
	}
	return Replace{Member: s.Member, Of: of, Why: why, Left: up, Total: all}
}

func (l life) why(s memberState, of Desired) string {
	if s.container.Image != of.Image {
		return fmt.Sprintf("image changes from %s to %s", s.container.Image, of.Image)
	}
	return "its settings change"
}

// FlushSpec is the member as it runs, but taking raft snapshots often. It is
// only made of members that run 3.6.
func (d Desired) FlushSpec(m Member, image, token string) container.Spec {
	// Nobody is flushed who runs less: the way to 3.7 begins there.
	d.Image, d.Version = image, floors[1].required.String()
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

// ChangeWarnings are sentences about the way from what the members run to what
// is desired that do not keep it from being gone. Those about the version
// itself, which a look at the configuration tells, are not among them.
func ChangeWarnings(d Desired, o Observed) []string {
	life, err := newLife(d, o)
	path := life.way
	to, unparsed := ParseVersion(d.Version)
	if err != nil || unparsed != nil {
		return nil // the plan refuses, or nothing is going to change
	}
	told, _ := CheckVersion(to)
	warnings := slices.DeleteFunc(path.Warnings, func(w string) bool { return slices.Contains(told, w) })
	if _, err := life.otherVersion(); err != nil {
		warnings = append(warnings, sentence(err.Error())+" "+OtherVersion)
	}
	return warnings
}
