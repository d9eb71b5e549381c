package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// sample is one duration per round.
type sample []time.Duration

// median of the sample; of an even number of values the mean of the two in
// the middle; 0 when there are none.
func (s sample) median() time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// mean of the sample, for what has no typical value; 0 when there are none.
func (s sample) mean() time.Duration {
	var sum time.Duration
	for _, one := range s {
		sum += one
	}
	return sum / time.Duration(max(1, len(s)))
}

// String is the median with the spread, in seconds.
func (s sample) String() string {
	if len(s) == 0 {
		return "none"
	}
	return fmt.Sprintf("%.2f s (%.2f–%.2f)", s.median().Seconds(), slices.Min(s).Seconds(), slices.Max(s).Seconds())
}

// ratio of the medians; 0 when there is nothing to divide by.
func ratio(measured, against sample) float64 {
	if against.median() == 0 {
		return 0
	}
	return float64(measured.median()) / float64(against.median())
}

// row is one line of the final table.
type row struct {
	// what is measured, and under which conditions.
	what, under string
	// measured and against are both sides as text, against "" when there is
	// only one.
	measured, against string
	// value is judged by limit, the most it may be; without a limit it is
	// information.
	value, limit float64
	// unit of both.
	unit string
}

// ratioUnit is the unit of ratios, of which none is 0.
const ratioUnit = "×"

// compared is the row of a ratio of two samples.
func compared(what, under string, measured, against sample) row {
	return row{
		what: what, under: under, measured: measured.String(), against: against.String(),
		value: ratio(measured, against), unit: ratioUnit,
	}
}

// atMost gives a row its target.
func (r row) atMost(limit float64) row {
	r.limit = limit
	return r
}

func (r row) verdict() string {
	switch {
	case r.limit == 0:
		return ""
	case r.unit == ratioUnit && r.value == 0:
		return "FALLS SHORT" // never measured
	case r.value <= r.limit:
		return "ok"
	default:
		return "FALLS SHORT"
	}
}

func (r row) figure(value float64) string {
	if r.unit == "" {
		return ""
	}
	if r.unit == ratioUnit {
		return fmt.Sprintf("%.2f×", value)
	}
	return fmt.Sprintf("%.4g %s", value, r.unit)
}

// write writes the table.
func write(out io.Writer, rows []row) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "    MEASURED\tUNDER\tVALUE\tAGAINST\tRATIO\tTARGET\tVERDICT")
	for _, r := range rows {
		target := ""
		if r.limit != 0 {
			target = "≤ " + r.figure(r.limit)
		}
		fmt.Fprintf(table, "    %s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			r.what, r.under, r.measured, r.against, r.figure(r.value), target, r.verdict())
	}
	return table.Flush()
}
