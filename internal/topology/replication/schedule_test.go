package replication

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// The script matches minutes as the expression says, checked against Go's
// calendar.
func TestScript_matchesMinutes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	at := func(moment string) time.Time {
		parsed, err := time.Parse("2006-01-02 15:04", moment)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	fixed := map[string][]time.Time{
		"0 0 * * *":               {at("2026-01-01 00:00"), at("2026-01-01 00:08"), at("2026-01-01 08:00")},
		"8,9 8,9 * * *":           {at("2026-08-08 08:09"), at("2026-09-09 09:08"), at("2026-08-08 08:00")},
		"0 3 13 * 5":              {at("2026-11-13 03:00"), at("2026-11-20 03:00"), at("2026-10-13 03:00"), at("2026-10-14 03:00")},
		"0 3 * * 0":               {at("2026-11-22 03:00"), at("2026-11-21 03:00")},
		"*/7 */5 */3 */2 *":       nil,
		"0-30 1-12 1-20 1-11 1-5": nil,
	}
	var cases strings.Builder
	var want []string
	for expression, moments := range fixed {
		cron, err := ParseCron(expression)
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			moments = append(moments, time.Unix(random.Int64N(2e9), 0).UTC())
		}
		cases.WriteString(Settings{Cron: expression}.FollowerSettings(Places{}, ""))
		for _, moment := range moments {
			fmt.Fprintf(&cases, "NOW='%s'\ndue_by_cron && echo yes || echo no\n", moment.Format("04 15 02 01 ")+fmt.Sprint(int(moment.Weekday())))
			want = append(want, fmt.Sprintf("%s at %s: %s", expression, moment.Format("Mon 2006-01-02 15:04"), map[bool]string{true: "yes", false: "no"}[due(cron, moment)]))
		}
	}
	output, err := exec.Command("/bin/sh", "-c", schedule+"\ndate() { echo \"$NOW\"; }\n"+cases.String()).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	got := strings.Fields(string(output))
	if len(got) != len(want) {
		t.Fatalf("%d answers to %d questions: %s", len(got), len(want), output)
	}
	yes := 0
	for i, answer := range got {
		if answer == "yes" {
			yes++
		}
		if !strings.HasSuffix(want[i], ": "+answer) {
			t.Errorf("want %s, got %s", want[i], answer)
		}
	}
	if yes < 8 {
		t.Errorf("only %d minutes matched", yes)
	}
}

func due(c Cron, at time.Time) bool {
	day, weekday := slices.Contains(c.Days, at.Day()), slices.Contains(c.Weekdays, int(at.Weekday()))
	days := day && weekday
	if c.EitherDay {
		days = day || weekday
	}
	return days && slices.Contains(c.Minutes, at.Minute()) && slices.Contains(c.Hours, at.Hour()) && slices.Contains(c.Months, int(at.Month()))
}
