package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// applyBenchmark measures a whole `terraform apply` of a three-member cluster,
// with the provider as a process of its own, against the floor. Both connect
// anew in every round, find the image present, and leave nothing behind.
var applyBenchmark = benchmark{
	name:  "apply",
	about: "terraform apply of a three-member etcd cluster until quorum is proven, against raw Docker API calls and etcd polling",
	note:  chance,
	run:   measureApply,
}

// applyTarget is the most that an apply may take, as a multiple of the floor.
const applyTarget = 1.5

// The lab of the benchmarks that need three hosts.
const (
	smallLab   = "bench"
	smallHosts = 3
)

// side is one value per round of either the floor or the apply.
type side struct {
	whole sample
	// start, etcd and notice are the phases of the whole.
	start, etcd, notice sample
}

func (s *side) add(whole time.Duration, p phases) {
	s.whole = append(s.whole, whole)
	s.start = append(s.start, p.start)
	s.etcd = append(s.etcd, p.etcd)
	s.notice = append(s.notice, p.notice)
}

// applySample is what all rounds over one access gave.
type applySample struct {
	floor, apply side
	// planned, creating and ended are from the start of the process.
	planned, creating, ended sample
}

func measureApply(ctx context.Context, s *session) ([]row, error) {
	lab, err := s.lab(ctx, smallLab, smallHosts)
	if err != nil {
		return nil, err
	}
	rows, err := measureStart(ctx, s)
	if err != nil {
		return rows, err
	}
	for _, way := range accesses {
		network, err := way.open(s, lab)
		if err != nil {
			return rows, err
		}
		measured, err := measureRounds(ctx, s, network)
		network.Close()
		if err != nil {
			return rows, fmt.Errorf("over %s: %w", way.name, err)
		}
		rows = append(rows, measured.rows(way.name)...)
	}
	return rows, nil
}

// chance explains the second of the two ratios.
const chance = `[1] The sum of the tool's own time until the last container runs (median), etcd's own time from there until all
    members serve (the mean of all rounds of both sides), and the tool's time from there to its proof (median).
    Etcd's own time is the same work for both and differs by seconds from round to round: a member that starts asks
    the others for their member list, up to a second each, and gets no answer while they listen and do not serve yet.
    The ratio as measured has that chance in it on both sides and may be off in either direction.`

// rows are the promise as it was measured, the promise without the chance that
// is in etcd's own part, and where the time goes. Both are judged: the first is
// what was promised, the second is what can be compared between runs.
func (a applySample) rows(way string) []row {
	// Etcd's part is the same for both and differs by seconds between rounds.
	// With one value for both sides, what is left to differ is the tools'.
	etcd := slices.Concat(a.floor.etcd, a.apply.etcd).mean()
	equal := row{what: "  the same if etcd had taken equally long [1]", under: way, unit: ratioUnit}
	equal.measured, equal.value = a.apply.with(etcd)
	var floor float64
	equal.against, floor = a.floor.with(etcd)
	equal.value /= floor
	return []row{
		compared("terraform apply: process start until quorum is proven", way, a.apply.whole, a.floor.whole).atMost(applyTarget),
		equal.atMost(applyTarget),
		compared("    until the last container runs", way, a.apply.start, a.floor.start),
		{what: "    etcd's own part", under: way, measured: a.apply.etcd.String(), against: a.floor.etcd.String()},
		compared("    from a cluster that serves to its proof", way, a.apply.notice, a.floor.notice),
		{what: "    of the first: until planned", under: way, measured: a.planned.String()},
		{what: "    of the first: until the create began", under: way, measured: a.creating.String()},
		{what: "    until the process ended", under: way, measured: a.ended.String()},
	}
}

// with is the sum of the phases with a given one of etcd, as text and in
// seconds.
func (s side) with(etcd time.Duration) (text string, seconds float64) {
	start, notice := s.start.median().Seconds(), s.notice.median().Seconds()
	seconds = start + etcd.Seconds() + notice
	return fmt.Sprintf("%.2f s (%.2f+%.2f+%.2f)", seconds, start, etcd.Seconds(), notice), seconds
}

// measureRounds runs all rounds over one access. The order of the two sides
// changes with every round, and a first round of both is not counted.
func measureRounds(ctx context.Context, s *session, n *network) (applySample, error) {
	var measured applySample
	workspace, err := newClusterWorkspace(s, n)
	if err != nil {
		return measured, err
	}
	for round := range s.rounds + 1 {
		var floor, apply phases
		var took time.Duration
		var t timeline
		sides := []func() error{
			func() (err error) { took, floor, err = floorRound(ctx, n); return err },
			func() (err error) { t, apply, err = workspace.apply(ctx); return err },
		}
		if round%2 == 1 {
			slices.Reverse(sides)
		}
		for _, side := range sides {
			if err := side(); err != nil {
				return measured, err
			}
		}
		if round == 0 {
			continue
		}
		progress("%-10s  round %d: floor %.2f s (start %.2f, etcd %.2f, notice %.2f), apply %.2f s (start %.2f, etcd %.2f, notice %.2f)", n.name, round,
			took.Seconds(), floor.start.Seconds(), floor.etcd.Seconds(), floor.notice.Seconds(),
			t.completed.Seconds(), apply.start.Seconds(), apply.etcd.Seconds(), apply.notice.Seconds())
		measured.floor.add(took, floor)
		measured.apply.add(t.completed, apply)
		measured.planned = append(measured.planned, t.planned)
		measured.creating = append(measured.creating, t.started)
		measured.ended = append(measured.ended, t.ended)
	}
	return measured, nil
}

func floorRound(ctx context.Context, n *network) (time.Duration, phases, error) {
	f := &floor{network: n, image: images.Etcd35}
	began, took, err := f.run(ctx)
	var parts phases
	if err == nil {
		parts, err = phasesOf(ctx, n.lab, began, took)
	}
	return took, parts, errors.Join(err, f.remove(ctx))
}

// The smallest configurations that terraform starts with: without the
// provider, and with it but without a host. The data source is read during
// the apply, because it depends on what changes, and finds a closed port.
const (
	terraformAlone = `resource "terraform_data" "this" {}
`
	withProvider = terraformAlone + `
terraform {
  required_providers {
    anka = { source = "anka-ha/anka" }
  }
}

provider "anka" {
  hosts = {}
}

data "anka_controller_status" "this" {
  url               = "http://127.0.0.1:9"
  allow_unreachable = true
  depends_on        = [terraform_data.this]
}
`
)

// measureStart measures what no provider can be faster than.
func measureStart(ctx context.Context, s *session) ([]row, error) {
	var rows []row
	for _, start := range []struct{ name, config, what string }{
		{"alone", terraformAlone, "start-up: terraform apply of one terraform_data"},
		{"with-provider", withProvider, "start-up: the same with the provider, which contacts no host"},
	} {
		workspace, err := s.workspace("start-" + start.name)
		if err != nil {
			return rows, err
		}
		if err := workspace.Write("main.tf", start.config); err != nil {
			return rows, err
		}
		var took sample
		for number := range s.rounds + 1 {
			t, err := timedApply(ctx, workspace)
			if err != nil {
				return rows, err
			}
			if _, err := workspace.Destroy(ctx); err != nil {
				return rows, err
			}
			if number > 0 {
				took = append(took, t.ended)
			}
		}
		progress("%s: %s", start.what, took)
		rows = append(rows, row{what: start.what, measured: took.String()})
	}
	return rows, nil
}

// directly is where clients reach the members on the hosts without the
// provider.
func directly(hosts []*testlab.Host) []endpoint {
	var endpoints []endpoint
	for _, host := range hosts {
		endpoints = append(endpoints, endpoint{address: host.Address + ":2379", dial: dialDirectly})
	}
	return endpoints
}
