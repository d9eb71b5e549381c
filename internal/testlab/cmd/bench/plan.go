package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// planBenchmark measures a plan that finds nothing to do: the daily refresh.
var planBenchmark = benchmark{
	name: "plan",
	about: "a plan of " + example + " that finds nothing to do: Docker API calls, and its time with nine hosts " +
		"(nine etcd members, registries, controllers and data sources) against three",
	run: measurePlan,
}

const (
	// callsTarget is the most API calls per host and resource after the
	// handshake.
	callsTarget = 2
	// planTarget is the most that a plan of nine hosts may take, as a multiple
	// of one of three.
	planTarget = 1.5
)

const (
	largeLab   = "bench-nine"
	largeHosts = 9
)

func measurePlan(ctx context.Context, s *session) ([]row, error) {
	var both [2]*topology
	for i, size := range []struct {
		lab   string
		hosts int
	}{{smallLab, smallHosts}, {largeLab, largeHosts}} {
		lab, err := s.lab(ctx, size.lab, size.hosts)
		if err != nil {
			return nil, err
		}
		if both[i], err = newTopology(ctx, s, lab); err != nil {
			return nil, err
		}
	}
	var rows []row
	for _, way := range accesses {
		if way.roundTrip == 0 { // a slow line changes no number of calls
			counted, err := countCalls(ctx, s, both[0], way)
			rows = append(rows, counted...)
			if err != nil {
				return rows, fmt.Errorf("count API calls over %s: %w", way.name, err)
			}
		}
		timed, err := timePlans(ctx, s, both, way)
		rows = append(rows, timed...)
		if err != nil {
			return rows, fmt.Errorf("over %s: %w", way.name, err)
		}
	}
	return rows, nil
}

// countCalls counts what a whole plan asks of each daemon, and attributes it
// to resources by plans of one resource and what that depends on.
func countCalls(ctx context.Context, s *session, t *topology, way access) (rows []row, err error) {
	network, err := way.open(s, t.lab)
	if err != nil {
		return nil, err
	}
	defer network.Close()
	counter, err := newCounter(network)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, counter.Close()) }()
	if err := t.reach(network, counter.sockets); err != nil {
		return nil, err
	}
	if _, err := t.plan(ctx); err != nil {
		return nil, err
	}
	whole := counter.take()
	if len(whole) != len(t.lab.Hosts) {
		return nil, fmt.Errorf("calls to %d of %d hosts were seen: the plan did not go through the counter", len(whole), len(t.lab.Hosts))
	}
	counted := map[string]map[string]calls{}
	for _, resource := range exampleResources {
		if _, err := t.plan(ctx, "-target="+resource); err != nil {
			return nil, err
		}
		counted[resource] = counter.take()
	}
	return tally{way: way.name, whole: whole, targeted: counted}.rows(), nil
}

// tally is what was counted, by host: in a whole plan, and in plans of each of
// exampleResources, of which the last depends on all the others.
type tally struct {
	way      string
	whole    map[string]calls
	targeted map[string]map[string]calls
}

// rows prints every number and keeps the largest of each resource.
func (t tally) rows() []row {
	hosts := slices.Sorted(maps.Keys(t.whole))
	most := map[string]int{}
	last := exampleResources[len(exampleResources)-1]
	var rows []row
	for _, host := range hosts {
		progress("%-4s %s  whole plan: %s", t.way, host, t.whole[host])
		var others []calls
		for _, resource := range exampleResources {
			own := t.targeted[resource][host]
			if resource == last {
				own = own.minus(others...)
			}
			others = append(others, own)
			progress("%-4s %s  %s: %s", t.way, host, resource, own)
			most[resource] = max(most[resource], own.afterHandshake())
		}
		most[""] = max(most[""], t.whole[host].afterHandshake())
	}
	for _, resource := range exampleResources {
		kind, _, _ := strings.Cut(resource, ".")
		rows = append(rows, row{
			what: "no-op plan: API calls of " + kind + " per host", under: t.way,
			measured: fmt.Sprintf("at most %d on each of %d hosts", most[resource], len(hosts)),
			value:    float64(most[resource]), unit: "calls",
		}.atMost(callsTarget))
	}
	resources := float64(len(exampleResources))
	return append(rows, row{
		what: "no-op plan: API calls per host and resource, all in all", under: t.way,
		measured: fmt.Sprintf("%d calls per host", most[""]), against: fmt.Sprintf("%g resources", resources),
		value: float64(most[""]) / resources, unit: "calls",
	}.atMost(callsTarget))
}

// timePlans times plans of both topologies in turns. The first of each is not
// counted.
func timePlans(ctx context.Context, s *session, both [2]*topology, way access) ([]row, error) {
	for _, t := range both {
		network, err := way.open(s, t.lab)
		if err != nil {
			return nil, err
		}
		defer network.Close()
		if err := t.reach(network, nil); err != nil {
			return nil, err
		}
	}
	var wall, cpu [2]sample
	for round := range s.rounds + 1 {
		for turn := range both {
			side := (turn + round) % len(both)
			one, err := both[side].plan(ctx)
			if err != nil {
				return nil, err
			}
			if round > 0 {
				wall[side] = append(wall[side], one.wall)
				cpu[side] = append(cpu[side], one.cpu)
			}
		}
	}
	progress("%-10s  three hosts %s, nine hosts %s", way.name, wall[0], wall[1])
	return []row{
		compared("no-op plan: nine hosts against three", way.name, wall[1], wall[0]).atMost(planTarget),
		compared("    CPU time of terraform and the provider", way.name, cpu[1], cpu[0]),
	}, nil
}
