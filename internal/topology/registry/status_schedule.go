package registry

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

const (
	// missedPasses is how many passes in a row a follower may leave out before
	// it is taken for one that hangs.
	missedPasses = 3
	// passTime is what one pass that transfers nothing may take at most: it
	// waits that long for a primary that does not answer.
	passTime = 2 * time.Minute
)

// SettingsPath is where a follower's container has its settings, see
// [ParseSchedule].
const SettingsPath = "/etc/anka/settings"

// Schedule is when a follower makes its passes: every Pause, or where that is
// zero, when Cron says. All times are those of the follower's host.
type Schedule struct {
	Pause time.Duration
	Cron  replication.Cron
}

// ParseSchedule reads the schedule from the settings file of a follower, see
// [replication.Settings.FollowerSettings].
func ParseSchedule(settings []byte) (Schedule, error) {
	values := map[string]string{}
	for line := range strings.SplitSeq(string(settings), "\n") {
		name, quoted, is := strings.Cut(line, "=")
		if value, text := strings.CutPrefix(quoted, "'"); is && text && strings.HasSuffix(value, "'") {
			values[name] = strings.TrimSuffix(value, "'")
		}
	}
	var s Schedule
	switch values["MODE"] {
	case "interval", "every":
		seconds, err := strconv.Atoi(values["INTERVAL"])
		if err != nil || seconds < 1 {
			return s, fmt.Errorf("the follower's settings have the interval %q", values["INTERVAL"])
		}
		s.Pause = time.Duration(seconds) * time.Second
	case "cron":
		for _, field := range []struct {
			name string
			into *[]int
		}{
			{"CRON_MINUTES", &s.Cron.Minutes},
			{"CRON_HOURS", &s.Cron.Hours},
			{"CRON_DAYS", &s.Cron.Days},
			{"CRON_MONTHS", &s.Cron.Months},
			{"CRON_WEEKDAYS", &s.Cron.Weekdays},
		} {
			for text := range strings.FieldsSeq(values[field.name]) {
				n, err := strconv.Atoi(text)
				if err != nil {
					return s, fmt.Errorf("the follower's settings have %q in %s", text, field.name)
				}
				*field.into = append(*field.into, n)
			}
			if len(*field.into) == 0 {
				return s, fmt.Errorf("the follower's settings have no %s", field.name)
			}
		}
		s.Cron.EitherDay = values["CRON_DAYS_RESTRICTED"] == "both"
	default:
		return s, fmt.Errorf("the follower's settings have the mode %q", values["MODE"])
	}
	return s, nil
}

// overdue is when a follower whose last pass was at last has left out so many
// that it hangs. False when it never will have, as far as can be told.
func (s Schedule) overdue(last time.Time) (time.Time, bool) {
	due := last
	for range missedPasses {
		next, comes := s.next(due)
		if !comes {
			return time.Time{}, false
		}
		due = next
	}
	return due.Add(passTime), true
}

// farthest bounds the search for a time that comes seldom, such as a 29th of
// February, in days.
const farthest = 9 * 366

func (s Schedule) next(after time.Time) (time.Time, bool) {
	if s.Pause > 0 {
		return after.Add(s.Pause), true
	}
	at := after.UTC().Truncate(time.Minute).Add(time.Minute)
	for range farthest {
		if s.onDay(at) {
			for day := at.Day(); at.Day() == day; at = at.Add(time.Minute) {
				if slices.Contains(s.Cron.Hours, at.Hour()) && slices.Contains(s.Cron.Minutes, at.Minute()) {
					return at, true
				}
			}
		} else {
			at = at.Truncate(24 * time.Hour).Add(24 * time.Hour)
		}
	}
	return time.Time{}, false
}

func (s Schedule) onDay(at time.Time) bool {
	day, weekday := slices.Contains(s.Cron.Days, at.Day()), slices.Contains(s.Cron.Weekdays, int(at.Weekday()))
	if s.Cron.EitherDay {
		day = day || weekday
	} else {
		day = day && weekday
	}
	return day && slices.Contains(s.Cron.Months, int(at.Month()))
}
