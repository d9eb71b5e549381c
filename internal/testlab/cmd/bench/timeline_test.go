package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTimelineNotesWhatTerraformTells(t *testing.T) {
	var got timeline
	for i, line := range []string{
		`{"type":"version"}`,
		`{"type":"planned_change"}`,
		`{"type":"change_summary","changes":{"add":1,"operation":"plan"}}`,
		`{"type":"apply_start"}`,
		`{"type":"apply_progress"}`,
		`{"type":"apply_complete"}`,
		`{"type":"change_summary","changes":{"add":1,"operation":"apply"}}`,
		`no JSON`,
	} {
		got.note([]byte(line), time.Duration(i))
	}
	if want := (timeline{planned: 2, started: 3, completed: 5}); got != want {
		t.Errorf("noted %+v, want %+v", got, want)
	}
}

func TestTimelineReadKeepsTheTextForErrors(t *testing.T) {
	got := timeline{began: time.Now().Add(-time.Minute)}
	const text = `{"type":"apply_complete"}` + "\nlast line without an end"
	if said := got.read(strings.NewReader(text)); said != text {
		t.Errorf("read %q", said)
	}
	if got.completed < time.Minute {
		t.Errorf("completed after %s, want more than a minute", got.completed)
	}
}

func TestServingSince(t *testing.T) {
	const log = `{"level":"info","ts":"2026-11-20T19:12:15.079094Z","msg":"opened backend db"}
{"level":"info","ts":"2026-11-20T19:12:17.254012Z","msg":"ready to serve client requests"}
{"level":"info","ts":"2026-11-20T19:12:18Z","msg":"ready to serve client requests"}
`
	got, err := servingSince(bytes.NewBufferString(log))
	if want := time.Date(2026, 11, 20, 19, 12, 17, 254012000, time.UTC); err != nil || !got.Equal(want) {
		t.Errorf("serving since %s (%v), want %s", got, err, want)
	}
	if _, err := servingSince(bytes.NewBufferString("{}\n")); err == nil {
		t.Error("a log without the message was no error")
	}
}

func TestAgree(t *testing.T) {
	one, other := view{cluster: 1, leader: 7}, view{cluster: 2, leader: 7}
	if err := agree([]view{one, one, one}); err != nil {
		t.Error(err)
	}
	if agree([]view{one, other, one}) == nil {
		t.Error("two clusters passed for one")
	}
}

// The figure that leaves etcd's chance out must come from both tools' parts.
func TestEqualLuckCountsTheToolsParts(t *testing.T) {
	var a applySample
	a.floor.add(3*time.Second, phases{start: time.Second, etcd: 2 * time.Second})
	a.apply.add(2*time.Second, phases{start: 2 * time.Second, notice: time.Second})
	rows := a.rows("tcp")
	// Both with one second of etcd: (2+1+1) / (1+1+0).
	if got := rows[1]; got.figure(got.value) != "2.00×" || got.verdict() != "FALLS SHORT" {
		t.Errorf("%+v, want 2.00× that falls short", got)
	}
	if got := rows[0]; got.figure(got.value) != "0.67×" || got.verdict() != "ok" {
		t.Errorf("%+v, want 0.67×", got)
	}
}
