package replication

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Cron is a cron expression spelled out: every value that each field matches,
// ascending. Sunday is 0. Times are UTC, since containers have no other zone.
type Cron struct {
	Minutes, Hours, Days, Months, Weekdays []int
	// EitherDay: both the day of the month and the day of the week are
	// restricted, and then, as cron has it, a day that matches one of them is
	// enough.
	EitherDay bool
}

type cronField struct {
	name     string
	min, max int
	names    []string // names of min, min+1, …
}

var cronFields = []cronField{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day of the month", 1, 31, nil},
	{"month", 1, 12, strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")},
	{"day of the week", 0, 7, strings.Fields("sun mon tue wed thu fri sat")},
}

var cronMacros = map[string]string{
	"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
}

// ParseCron reads an expression of five fields, minute, hour, day of the month,
// month and day of the week, of *, numbers, names, ranges, steps and lists of
// these; or @hourly, @daily, @weekly, @monthly. The error names the field.
func ParseCron(expression string) (Cron, error) {
	if macro, ok := cronMacros[strings.ToLower(strings.TrimSpace(expression))]; ok {
		expression = macro
	}
	parts := strings.Fields(expression)
	if len(parts) != len(cronFields) {
		return Cron{}, fmt.Errorf("%q has %d fields and needs 5: minute, hour, day of the month, month, day of the week, such as \"30 */3 * * *\"", expression, len(parts))
	}
	values := make([][]int, len(parts))
	for i, field := range cronFields {
		parsed, err := field.parse(parts[i])
		if err != nil {
			return Cron{}, fmt.Errorf("%s %q: %w", field.name, parts[i], err)
		}
		values[i] = parsed
	}
	for i, day := range values[4] {
		values[4][i] = day % 7 // 7 is Sunday as well
	}
	slices.Sort(values[4])
	c := Cron{Minutes: values[0], Hours: values[1], Days: values[2], Months: values[3], Weekdays: slices.Compact(values[4])}
	c.EitherDay = !strings.HasPrefix(parts[2], "*") && !strings.HasPrefix(parts[4], "*")
	if !c.EitherDay && !c.hasDay() {
		return Cron{}, fmt.Errorf("%q never comes: no month of it has such a day", expression)
	}
	return c, nil
}

var daysOfMonth = []int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func (c Cron) hasDay() bool {
	return slices.ContainsFunc(c.Months, func(month int) bool { return c.Days[0] <= daysOfMonth[month-1] })
}

func (f cronField) parse(text string) ([]int, error) {
	var values []int
	for item := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			var err error
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return nil, fmt.Errorf("step %q is not a number above 0", stepText)
			}
		}
		from, to := f.min, f.max
		if span != "*" {
			first, last, ranged := strings.Cut(span, "-")
			var err error
			if from, err = f.value(first); err != nil {
				return nil, err
			}
			switch {
			case ranged:
				if to, err = f.value(last); err != nil {
					return nil, err
				}
			case !stepped:
				to = from
			}
			if from > to {
				return nil, fmt.Errorf("range %s ends before it begins", span)
			}
		} else if f.max == 7 {
			to = 6 // Sunday once
		}
		for v := from; v <= to; v += step {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return slices.Compact(values), nil
}

func (f cronField) value(text string) (int, error) {
	if i := slices.Index(f.names, strings.ToLower(text)); i >= 0 {
		return f.min + i, nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < f.min || v > f.max {
		return 0, fmt.Errorf("%q is not between %d and %d", text, f.min, f.max)
	}
	return v, nil
}
