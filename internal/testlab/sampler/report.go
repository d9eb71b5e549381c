package sampler

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// sample is one answer of one replica. Times are since the watch began.
type sample struct {
	begin, end time.Duration
	ready      bool
}

// Report is what a watch has seen.
type Report struct {
	// Samples is how often replicas were asked, all together.
	Samples int
	// Minimum is how many replicas were ready at least, at any sample.
	Minimum int
	// Together tells when two replicas or more were not ready at once.
	Together []string
	// Hosts have what was seen of each replica.
	Hosts map[string]Host
	// Nodes are the requests of a node.
	Nodes Nodes
}

// Host is what was seen of one replica.
type Host struct {
	// Samples is how often it was asked, NotReady how often it was not ready.
	Samples, NotReady int
	// Longest is how long it was not ready at a stretch at most: from the last
	// good answer before to the first one after.
	Longest time.Duration
}

// Nodes are the requests that tried the URLs in order.
type Nodes struct {
	// Requests is how many there were, Elsewhere how many of them the first URL
	// did not serve.
	Requests, Elsewhere int
	// Slowest is how long one of them took at most, all URLs together.
	Slowest time.Duration
	// Failed tells of each that no URL has served when it was and why.
	Failed []string
}

// String is one line of figures.
func (r Report) String() string {
	var hosts []string
	for _, name := range slices.Sorted(maps.Keys(r.Hosts)) {
		h := r.Hosts[name]
		hosts = append(hosts, fmt.Sprintf("%s %d samples, %d not ready, longest %s", name, h.Samples, h.NotReady, h.Longest.Round(time.Millisecond)))
	}
	return fmt.Sprintf("%d samples, at least %d of %d ready (%s); %d requests of a node, %d of them not by the first URL, slowest %s, %d failed",
		r.Samples, r.Minimum, len(r.Hosts), strings.Join(hosts, "; "), r.Nodes.Requests, r.Nodes.Elsewhere, r.Nodes.Slowest.Round(time.Millisecond), len(r.Nodes.Failed))
}

// Longest is how long any replica was not ready at a stretch.
func (r Report) Longest() time.Duration {
	var longest time.Duration
	for _, h := range r.Hosts {
		longest = max(longest, h.Longest)
	}
	return longest
}

// spell is a stretch of bad answers of one replica, from the first question to
// the last one. When it ended after that is not known: a question that got no
// answer says nothing about the time it has waited.
type spell struct {
	host       string
	begin, end time.Duration
}

// judge puts the samples of all replicas together. Replicas are asked at
// different moments, so stretches are compared and not single samples: two of
// them that overlap were seen at once.
func judge(hosts map[string][]sample) Report {
	report := Report{Hosts: map[string]Host{}}
	var spells []spell
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		seen := Host{Samples: len(hosts[name])}
		var good time.Duration // question of the last good answer
		var now *spell
		slices.SortFunc(hosts[name], func(a, b sample) int { return int(a.begin - b.begin) })
		for _, s := range hosts[name] {
			switch {
			case s.ready:
				if now != nil {
					seen.Longest = max(seen.Longest, s.end-good)
					spells = append(spells, *now)
				}
				now, good = nil, s.begin
				continue
			case now == nil:
				now = &spell{host: name, begin: s.begin}
			}
			now.end = s.begin
			seen.NotReady++
		}
		if now != nil {
			seen.Longest = max(seen.Longest, now.end-good)
			spells = append(spells, *now)
		}
		report.Hosts[name] = seen
		report.Samples += seen.Samples
	}
	report.Minimum = len(hosts)
	for _, s := range spells {
		// The most are down at the beginning of one of the stretches.
		down := []string{s.host}
		for _, other := range spells {
			if other.host != s.host && other.begin <= s.begin && s.begin <= other.end {
				down = append(down, other.host)
			}
		}
		report.Minimum = min(report.Minimum, len(hosts)-len(down))
		if len(down) > 1 {
			report.Together = append(report.Together, fmt.Sprintf("%s: %s", s.begin.Round(time.Millisecond), strings.Join(down, ", ")))
		}
	}
	return report
}
