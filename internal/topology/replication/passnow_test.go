package replication

import (
	"os/exec"
	"strings"
	"testing"
)

// A pass that is asked for begins within seconds, whatever the schedule is and
// whether the last one succeeded: who changes the primary waits for it. Short
// pauses are kept exactly.
func TestScript_passNow(t *testing.T) {
	for name, c := range map[string]struct {
		settings Settings
		result   string // the exit status of each pass
		want     string // what happens until the second pass; asked for after the first rest
	}{
		"every":             {Settings{Every: "3h"}, "0", "pass rest-2 pass"},
		"every, failed":     {Settings{Every: "3h"}, "1", "pass rest-2 pass"},
		"cron":              {Settings{Cron: "0 0 29 2 *"}, "0", "rest-2 pass rest-2 pass"},
		"cron, failed":      {Settings{Cron: "0 0 29 2 *"}, "1", "rest-2 pass rest-2 pass"},
		"minute":            {Settings{Interval: 60}, "0", "pass rest-2 pass"},
		"minute, failed":    {Settings{Interval: 60}, "1", "pass rest-2 pass"},
		"seconds":           {Settings{Interval: 3}, "0", "pass rest-3 pass"},
		"seconds, failed":   {Settings{Interval: 3}, "1", "pass rest-3 pass"},
		"long and asked of": {Settings{Interval: 3600}, "0", "pass rest-2 pass"},
	} {
		t.Run(name, func(t *testing.T) {
			program := schedule + c.settings.FollowerSettings(Places{Run: t.TempDir()}, "") + `
set -u
APPLIED_SUM=same
passes=0
date() { case $* in *%w*) echo 00 00 01 01 1 ;; *) echo 2026-01-01 00:00 ;; esac; }
uptime() { echo 1000; }
rest() { echo "rest-$1"; touch "$RUN/pass-now"; }
attempt() { echo pass; passes=$((passes + 1)); [ $passes -lt 2 ] || exit 0; return ` + c.result + `; }
run_schedule`
			output, err := exec.Command("/bin/sh", "-c", program).CombinedOutput()
			if got := strings.Join(strings.Fields(string(output)), " "); err != nil || got != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

// A pass that failed is tried again after seconds at first, also where the
// pause between two passes is a long one, and never later than after that
// pause. The clock that is set back all the time makes no pause longer.
func TestScript_failedPassIsTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		settings Settings
		want     string // seconds from the start at which passes begin
	}{
		"seconds": {Settings{Interval: 3}, "0 3 6 9 12 15"},
		"minute":  {Settings{Interval: 60}, "0 6 16 36 76 136"},
		"hours":   {Settings{Every: "3h"}, "0 6 16 36 76 156"},
	} {
		t.Run(name, func(t *testing.T) {
			program := schedule + c.settings.FollowerSettings(Places{Run: t.TempDir()}, "") + `
set -u
APPLIED_SUM=same
passes=0
at=0
now() { echo $((1000000 - 100 * at)); }
uptime() { echo $at; }
rest() { at=$((at + $1)); [ $at -lt 1000 ] || exit 1; }
attempt() { echo $at; passes=$((passes + 1)); [ $passes -lt 6 ] || exit 0; return 1; }
run_schedule`
			output, err := exec.Command("/bin/sh", "-c", program).CombinedOutput()
			if got := strings.Join(strings.Fields(string(output)), " "); err != nil || got != c.want {
				t.Errorf("passes at %q, %v, want %q", got, err, c.want)
			}
		})
	}
}
