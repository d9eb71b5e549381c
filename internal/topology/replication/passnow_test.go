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
now() { echo 1000; }
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
