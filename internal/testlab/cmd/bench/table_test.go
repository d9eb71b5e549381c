package main

import (
	"strings"
	"testing"
	"time"
)

func TestSampleMedianAndMean(t *testing.T) {
	for name, test := range map[string]struct {
		values       sample
		median, mean time.Duration
	}{
		"none": {nil, 0, 0},
		"odd":  {sample{9, 1, 2}, 2, 4},
		"even": {sample{10, 2, 4, 4000}, 7, 1004},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.values.median(); got != test.median {
				t.Errorf("median %d, want %d", got, test.median)
			}
			if got := test.values.mean(); got != test.mean {
				t.Errorf("mean %d, want %d", got, test.mean)
			}
		})
	}
	unsorted := sample{3, 1, 2}
	unsorted.median()
	if unsorted[0] != 3 {
		t.Error("the median has sorted the rounds")
	}
}

func TestRowVerdict(t *testing.T) {
	for name, test := range map[string]struct {
		row  row
		want string
	}{
		"below":              {row{value: 1.49}.atMost(1.5), "ok"},
		"at the limit":       {row{value: 2}.atMost(2), "ok"},
		"above":              {row{value: 1.51}.atMost(1.5), "FALLS SHORT"},
		"never measured":     {row{unit: ratioUnit}.atMost(1.5), "FALLS SHORT"},
		"no call":            {row{unit: "calls"}.atMost(2), "ok"},
		"information":        {row{value: 99}, ""},
		"nothing to compare": {compared("a", "b", sample{1}, nil).atMost(1.5), "FALLS SHORT"},
	} {
		if got := test.row.verdict(); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestWriteTellsRatioTargetAndVerdict(t *testing.T) {
	var out strings.Builder
	slow := compared("apply", "ssh", sample{3 * time.Second, time.Second, 2 * time.Second}, sample{time.Second}).atMost(1.5)
	if err := write(&out, []row{slow, {what: "calls", value: 2, unit: "calls"}}); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{"apply ssh 2.00 s (1.00–3.00) 1.00 s (1.00–1.00) 2.00× ≤ 1.50× FALLS SHORT", "calls 2 calls"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
}

func TestChoose(t *testing.T) {
	chosen, err := choose("^plan$")
	if err != nil || len(chosen) != 1 || chosen[0].name != "plan" {
		t.Errorf("chosen %v, %v; want plan alone", chosen, err)
	}
	for _, pattern := range []string{"no such", "("} {
		if _, err := choose(pattern); err == nil {
			t.Errorf("%q was no error", pattern)
		}
	}
}
