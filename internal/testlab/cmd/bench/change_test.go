package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// The sum of the waits is the denominator of the ratio: no time may be lost.
func TestWaitsAddUpToAllTime(t *testing.T) {
	began := time.Now()
	w := newWaits(began)
	for i, part := range []string{partConnect, partAdmitted, partCreated, partAdmitted, partProof} {
		w.note(part, began.Add(time.Duration(1<<i)*time.Second))
	}
	if got := w.sum(); got != 16*time.Second {
		t.Errorf("the sum is %s, want all 16 s", got)
	}
	// 1→2 and 4→8 s.
	if got := w.spent[partAdmitted]; got != 5*time.Second {
		t.Errorf("%s on one part, want 5s", got)
	}
}

func TestChangeRowsJudgeTheRatioAndNameEveryWait(t *testing.T) {
	for _, c := range []change{scale, upgrade} {
		for seconds, verdict := range map[int]string{14: "ok", 16: "FALLS SHORT"} {
			var m changeSample
			w := newWaits(time.Time{})
			w.spent[c.parts[0]], w.spent[c.parts[1]] = 4*time.Second, 6*time.Second
			m.add(timeline{planned: 1, started: 2, completed: time.Duration(seconds) * time.Second}, w)
			rows := c.rows("tcp", m)
			if got := rows[0].verdict(); got != verdict {
				t.Errorf("%s: %d s against 10 s: %s, want %s", c.what, seconds, got, verdict)
			}
			for i, part := range c.parts {
				if !strings.HasSuffix(rows[i+1].what, part) {
					t.Errorf("row %q, want one of %q", rows[i+1].what, part)
				}
			}
			if got := rows[2].against; got != "6.00 s (6.00–6.00)" {
				t.Errorf("the second part is %s, want 6 s", got)
			}
		}
	}
}

func TestRollingOrderHasTheLeaderLast(t *testing.T) {
	for leader, want := range [][]int{{1, 2, 0}, {0, 2, 1}, {0, 1, 2}} {
		if got := rollingOrder(3, leader); !slices.Equal(got, want) {
			t.Errorf("leader %d: %v, want %v", leader, got, want)
		}
	}
}

func TestCaughtUp(t *testing.T) {
	for name, test := range map[string]struct {
		leader, applied uint64
		want            string
	}{
		"no leader": {0, 9, "no leader"},
		"behind":    {1, 6, "6 of 7"},
		"level":     {1, 7, ""},
		"ahead":     {1, 8, ""},
	} {
		status := clientv3.StatusResponse(etcdserverpb.StatusResponse{Leader: test.leader, RaftAppliedIndex: test.applied})
		err := caughtUp(&status, 7)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestUntilAsksAgainAndTellsTheLastError(t *testing.T) {
	asked := 0
	if err := until(t.Context(), "ask", func(context.Context) error {
		if asked++; asked < 3 {
			return errors.New("not yet")
		}
		return nil
	}); err != nil || asked != 3 {
		t.Errorf("%v after %d questions, want none after 3", err, asked)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := until(ctx, "add", func(context.Context) error { cancel(); return errors.New("unhealthy cluster") })
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "add: ") || !strings.Contains(err.Error(), "unhealthy cluster") {
		t.Errorf("%v, want one that names the act, the end and what was said last", err)
	}
}

// The two sides would be different clusters with different flags.
func TestFloorHasTheFlagsOfTheProvidersDefaults(t *testing.T) {
	for image, want := range map[string]string{
		images.Etcd35: "--experimental-initial-corrupt-check=true",
		images.Etcd36: "--feature-gates=",
	} {
		flags := strings.Join(defaultFlags(image), " ")
		for _, flag := range []string{want, "--quota-backend-bytes=6294967296"} {
			if !strings.Contains(flags, flag) {
				t.Errorf("%s: %q is not in %q", image, flag, flags)
			}
		}
	}
}
