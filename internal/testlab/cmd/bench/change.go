package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

const (
	// changeTarget is the most that a change of a cluster may take, as a
	// multiple of the sum of what the floor has to wait for.
	changeTarget = 1.5
	// changeRounds bounds the rounds of these benchmarks: one takes half a
	// minute and more, most of it waits that are the same in every round.
	changeRounds = 3
	// connectivity is how long all members have to be connected before the
	// next change.
	connectivity = 5 * time.Second
)

// The lab of the benchmarks that change a cluster.
const (
	changeLab   = "bench-five"
	changeHosts = 5
)

// changeAccesses are the fastest and the slowest way to the hosts. What lies
// between them measures the same.
var changeAccesses = []access{accesses[0], accesses[len(accesses)-1]}

// change is one change of a cluster that has three members of etcd 3.5.
type change struct {
	what string
	// members and image are what the cluster has afterwards.
	members int
	image   string
	// floor carries the change out. What it waits for is one of parts.
	floor func(context.Context, *floor, *waits) error
	parts []string
}

// Parts of all changes: how they begin, what lies between two members, and the
// same proof that a bootstrap ends with.
const (
	partConnect = "connections, and the question who leads"
	partSettled = "5 s of full connectivity between two members"
	partProof   = "all members are one cluster, a write and a read through each"
)

// waits is what the floor has spent its time on. All of it is on something, so
// that the sum is the time that the change has taken.
type waits struct {
	last  time.Time
	spent map[string]time.Duration
}

func newWaits(now time.Time) *waits { return &waits{last: now, spent: map[string]time.Duration{}} }

// on notes that the time since the last note was spent on the part.
func (w *waits) on(part string) { w.note(part, time.Now()) }

func (w *waits) note(part string, now time.Time) {
	w.spent[part] += now.Sub(w.last)
	w.last = now
}

func (w *waits) sum() time.Duration {
	var sum time.Duration
	for _, spent := range w.spent {
		sum += spent
	}
	return sum
}

// changeSample is what all rounds over one access gave.
type changeSample struct {
	apply, floor sample
	// parts are those of the floor.
	parts map[string]sample
	// planned and started are from the start of terraform's process.
	planned, started sample
}

func (m *changeSample) add(t timeline, w *waits) {
	m.apply = append(m.apply, t.completed)
	m.planned = append(m.planned, t.planned)
	m.started = append(m.started, t.started)
	m.floor = append(m.floor, w.sum())
	if m.parts == nil {
		m.parts = map[string]sample{}
	}
	for part, spent := range w.spent {
		m.parts[part] = append(m.parts[part], spent)
	}
}

// rows are the promise, what the floor waited for, and where terraform began.
func (c change) rows(way string, m changeSample) []row {
	rows := []row{compared(c.what+": process start until proven, against the sum of the floor's waits", way, m.apply, m.floor).atMost(changeTarget)}
	for _, part := range c.parts {
		rows = append(rows, row{what: "    the floor: " + part, under: way, against: m.parts[part].String()})
	}
	return append(rows,
		row{what: "    terraform: until planned", under: way, measured: m.planned.String()},
		row{what: "    terraform: until the change began", under: way, measured: m.started.String()})
}

// measure runs all rounds over both accesses. The order of the two sides
// changes with every round.
func (c change) measure(ctx context.Context, s *session) ([]row, error) {
	lab, err := s.lab(ctx, changeLab, changeHosts)
	if err != nil {
		return nil, err
	}
	if err := lab.LoadImages(ctx, c.image); err != nil {
		return nil, err
	}
	var rows []row
	for _, way := range changeAccesses {
		network, err := way.open(s, lab)
		if err != nil {
			return rows, err
		}
		measured, err := c.rounds(ctx, s, network)
		network.Close()
		if err != nil {
			return rows, fmt.Errorf("over %s: %w", way.name, err)
		}
		rows = append(rows, c.rows(way.name, measured)...)
	}
	return rows, nil
}

func (c change) rounds(ctx context.Context, s *session, n *network) (changeSample, error) {
	var measured changeSample
	workspace, err := newClusterWorkspace(s, n)
	if err != nil {
		return measured, err
	}
	for round := range min(s.rounds, changeRounds) {
		var t timeline
		var w *waits
		sides := []func() error{
			func() (err error) { w, err = c.floorRound(ctx, n); return err },
			func() (err error) { t, err = workspace.change(ctx, c); return err },
		}
		if round%2 == 1 {
			slices.Reverse(sides)
		}
		for _, side := range sides {
			if err := side(); err != nil {
				return measured, err
			}
		}
		progress("%-10s  round %d: floor %.2f s, apply %.2f s, of which %.2f s until the change began", n.name, round+1,
			w.sum().Seconds(), t.completed.Seconds(), t.started.Seconds())
		measured.add(t, w)
	}
	return measured, nil
}

// floorRound bootstraps and changes with API calls alone. Only the change is
// part of the result, and it connects anew.
func (c change) floorRound(ctx context.Context, n *network) (w *waits, err error) {
	f := &floor{network: n, image: images.Etcd35}
	defer func() { err = errors.Join(err, f.remove(ctx)) }()
	if _, _, err := f.run(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(f.disconnect(), settle(ctx)); err != nil {
		return nil, err
	}
	f.image = c.image
	for i := len(f.members); i < c.members; i++ {
		f.members = append(f.members, newFloorMember(i, n.lab.Hosts[i]))
	}
	w = newWaits(time.Now())
	if err := f.each(ctx, f.connect); err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	if err := c.floor(ctx, f, w); err != nil {
		return nil, fmt.Errorf("floor: %s: %w", c.what, err)
	}
	if err := prove(ctx, f.endpoints()); err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	w.on(partProof)
	return w, runs(ctx, f.endpoints(), c.image)
}

// settle waits for the connectivity that has to lie between two changes.
func settle(ctx context.Context) error {
	timer := time.NewTimer(connectivity)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// until asks until there is no error.
func until(ctx context.Context, what string, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	ticker := time.NewTicker(proofInterval)
	defer ticker.Stop()
	for {
		question, done := context.WithTimeout(ctx, questionTimeout)
		err := ask(question)
		done()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, errors.Join(ctx.Err(), err))
		case <-ticker.C:
		}
	}
}

// led is a client of each of the first members, and which of them leads.
type led struct {
	clients []*clientv3.Client
	ids     []uint64
	leader  int
}

func (l *led) Close() {
	for _, client := range l.clients {
		_ = client.Close()
	}
}

// lead asks the first members who leads. Close ends the connections.
func (f *floor) lead(ctx context.Context, members int) (_ *led, err error) {
	l := &led{leader: -1}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	for i, m := range f.members[:members] {
		client, err := newClient(m.endpoint())
		if err != nil {
			return nil, err
		}
		l.clients = append(l.clients, client)
		status, err := client.Status(ctx, client.Endpoints()[0])
		if err != nil {
			return nil, fmt.Errorf("ask %s: %w", m.name, err)
		}
		l.ids = append(l.ids, status.Header.MemberId)
		if status.Leader == status.Header.MemberId {
			l.leader = i
		}
	}
	if l.leader < 0 {
		return nil, errors.New("none of the members leads")
	}
	return l, nil
}
