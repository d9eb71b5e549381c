package replication_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

func TestParseCron(t *testing.T) {
	span := func(from, to int) (s []int) {
		for ; from <= to; from++ {
			s = append(s, from)
		}
		return s
	}
	for expression, want := range map[string]replication.Cron{
		"30 */6 * * *":        {Minutes: []int{30}, Hours: []int{0, 6, 12, 18}, Days: span(1, 31), Months: span(1, 12), Weekdays: span(0, 6)},
		"0,10-12 5 * * *":     {Minutes: []int{0, 10, 11, 12}, Hours: []int{5}, Days: span(1, 31), Months: span(1, 12), Weekdays: span(0, 6)},
		"10-30/10 1/8 * * *":  {Minutes: []int{10, 20, 30}, Hours: []int{1, 9, 17}, Days: span(1, 31), Months: span(1, 12), Weekdays: span(0, 6)},
		"0 0 * JAN,dec mon-5": {Minutes: []int{0}, Hours: []int{0}, Days: span(1, 31), Months: []int{1, 12}, Weekdays: span(1, 5)},
		"0 0 * * 5-7":         {Minutes: []int{0}, Hours: []int{0}, Days: span(1, 31), Months: span(1, 12), Weekdays: []int{0, 5, 6}},
		"0 0 13 * 5":          {Minutes: []int{0}, Hours: []int{0}, Days: []int{13}, Months: span(1, 12), Weekdays: []int{5}, EitherDay: true},
		"@weekly":             {Minutes: []int{0}, Hours: []int{0}, Days: span(1, 31), Months: span(1, 12), Weekdays: []int{0}},
		"0 0 29 2 *":          {Minutes: []int{0}, Hours: []int{0}, Days: []int{29}, Months: []int{2}, Weekdays: span(0, 6)},
	} {
		got, err := replication.ParseCron(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if !slices.Equal(got.Minutes, want.Minutes) || !slices.Equal(got.Hours, want.Hours) || !slices.Equal(got.Days, want.Days) ||
			!slices.Equal(got.Months, want.Months) || !slices.Equal(got.Weekdays, want.Weekdays) || got.EitherDay != want.EitherDay {
			t.Errorf("%s: got %+v, want %+v", expression, got, want)
		}
	}
}

func TestParseCron_errors(t *testing.T) {
	for expression, want := range map[string]string{
		"":               "has 0 fields",
		"* * * *":        "has 4 fields",
		"60 * * * *":     `minute "60": "60" is not between 0 and 59`,
		"* 24 * * *":     `hour "24"`,
		"* * 0 * *":      `day of the month "0"`,
		"* * * foo *":    `month "foo"`,
		"* * * * 8":      `day of the week "8"`,
		"*/0 * * * *":    `step "0"`,
		"30-10 * * *  *": "range 30-10 ends before it begins",
		"1,,2 * * * *":   `"" is not between`,
		"-1 * * * *":     `"" is not between`,
		"0 0 31 2,4 *":   "never comes",
	} {
		if _, err := replication.ParseCron(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", expression, err, want)
		}
	}
}
