package compat_test

import (
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"1.50.1": "1.50.1", "v1.50.1": "1.50.1", "1.50.1-5e3c3f5b": "1.50.1", "3.5.25": "3.5.25", "3.6.0-rc.1": "3.6.0", "v3.5.25+git": "3.5.25",
		"": "", "v": "", "1.50": "", "v3.5": "", "latest": "", "1.50.x": "", "1.50.1.2": "", "1.-5.1": "", "+1.50.1": "", "0.0.0": "",
		"2024-01-01": "", "1.5000000.1": "", "controller-1.50.1": "",
	} {
		got, ok := compat.Parse(text)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q: got %s, %t, want %q", text, got, ok, want)
		}
	}
}

func TestOfImage(t *testing.T) {
	const digest = "@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for ref, want := range map[string]string{
		"veertu/anka-build-cloud-controller:v1.50.1":          "1.50.1",
		"veertu/anka-build-cloud-controller:v1.50.1" + digest: "1.50.1",
		"registry.example.com:5000/anka/controller:1.41.1":    "1.41.1",
		"registry.example.com:5000/anka/controller":           "",
		"registry.example.com:1.50.1/controller":              "", // a port, however odd
		"anka-controller":                                     "",
		"anka-controller:latest":                              "",
		"anka-controller" + digest:                            "",
		"quay.io/coreos/etcd:v3.5":                            "",
		"quay.io/coreos/etcd:v3.5.25":                         "3.5.25",
		"":                                                    "",
	} {
		got, ok := compat.OfImage(ref)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q: got %s, %t, want %q", ref, got, ok, want)
		}
		if tagged, source := compat.Tagged(ref); tagged != got || (source == "tag of image "+ref) != ok || (source == "") == ok {
			t.Errorf("%q: got %s, %q", ref, tagged, source)
		}
	}
}

func TestRelease_before(t *testing.T) {
	ordered := []string{"0.9.9", "1.2.3", "1.2.10", "1.10.0", "2.0.0"}
	for i, a := range ordered {
		for j, b := range ordered {
			left, _ := compat.Parse(a)
			right, _ := compat.Parse(b)
			if left.Before(right) != (i < j) {
				t.Errorf("%s before %s: %t", a, b, left.Before(right))
			}
		}
	}
}
