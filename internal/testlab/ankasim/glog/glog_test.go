package glog

import (
	"bytes"
	"regexp"
	"testing"
	"time"
)

func TestLogger_lineShape(t *testing.T) {
	var out bytes.Buffer
	log := New(&out, func() time.Time { return time.Date(2026, 5, 1, 12, 3, 4, 567000, time.UTC) })
	log.Infof("serving %s", "http")
	log.Warningf("odd")
	log.Errorf("failed")
	fatal := log.Fatalf // it only logs; ending is the caller's business
	fatal("ending")
	want := regexp.MustCompile(`^I0501 12:03:04\.000567 +\d+ glog_test\.go:13\] serving http\n` +
		`W0501 .* glog_test\.go:14\] odd\nE0501 .*\] failed\nF0501 .*\] ending\n$`)
	if !want.MatchString(out.String()) {
		t.Errorf("got\n%s", out.String())
	}
}
