package registry_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// whole is a handover in which nothing is pending.
func whole() registry.Handover {
	return registry.Handover{
		From: "h1", To: "h2", Passes: 4,
		Begun:    replication.SourceStatus{State: "ok", Generation: 10, Manifest: "m1", LastAttempt: "2026-01-01T00:00:00Z"},
		Source:   replication.SourceStatus{State: "ok", Generation: 11, Manifest: "m2", LastAttempt: "2026-01-01T00:00:02Z"},
		Follower: replication.Status{InSync: true, Manifest: "m2", Passes: 5},
	}
}

func TestHandover(t *testing.T) {
	if why := whole().Pending(); why != "" {
		t.Fatalf("pending: %s", why)
	}
	for name, c := range map[string]struct {
		change func(*registry.Handover)
		want   string
	}{
		"the source's disk is gone":        {func(h *registry.Handover) { h.Source.State, h.Source.LastError = "error", "not mounted" }, "h1 does not know what it has: not mounted"},
		"no generation yet":                {func(h *registry.Handover) { h.Source.Generation = 0 }, "h1 has not looked"},
		"the source has not looked since":  {func(h *registry.Handover) { h.Source.LastAttempt = h.Begun.LastAttempt }, "h1 has not looked"},
		"not known what the follower had":  {func(h *registry.Handover) { h.Passes = -1 }, "h1 has not looked"},
		"another list":                     {func(h *registry.Handover) { h.Follower.Manifest = "m1" }, "h2 is not in sync"},
		"in the middle of a pass":          {func(h *registry.Handover) { h.Follower.InSync, h.Follower.LagBytes = false, 7 }, "7 bytes of layers are missing"},
		"a pass that failed":               {func(h *registry.Handover) { h.Follower.InSync, h.Follower.LastError = false, "disk full" }, "not in sync: disk full"},
		"the follower has not looked":      {func(h *registry.Handover) { h.Follower.Passes = 4 }, "h2 has not looked"},
		"the follower was started in mid-": {func(h *registry.Handover) { h.Follower.Passes = 1 }, "h2 has not looked"},
	} {
		h := whole()
		c.change(&h)
		if why := h.Pending(); !strings.Contains(why, c.want) {
			t.Errorf("%s: %q, want %q in it", name, why, c.want)
		}
	}
}

func TestMissing(t *testing.T) {
	manifest := "H\tformat\t1\nL\timages_dir/a.ank\t10\t100\nL\timages_dir/b.ank\t20\t200\n" +
		"F\tvm_dir/t/tag-0.json\t5\t50\thash0\t1\nF\tvm_dir/t/tag-1.json\t6\t60\thash1\t1\n"
	for name, c := range map[string]struct {
		applied, placed string
		want            []string
	}{
		"all applied":    {manifest, "", nil},
		"nothing at all": {"", "", []string{"images_dir/a.ank", "images_dir/b.ank", "vm_dir/t/tag-0.json", "vm_dir/t/tag-1.json"}},
		"the rest was placed since": {
			"L\timages_dir/a.ank\t10\t100\nF\tvm_dir/t/tag-0.json\t5\t49\thash0\t9\n",
			"L\timages_dir/b.ank\t20\t200\nF\tvm_dir/t/tag-1.json\t6\t-\thash1\n", nil,
		},
		"another size":    {strings.Replace(manifest, "b.ank\t20", "b.ank\t19", 1), "", []string{"images_dir/b.ank"}},
		"another time":    {strings.Replace(manifest, "\t200", "\t201", 1), "", []string{"images_dir/b.ank"}},
		"another content": {strings.Replace(manifest, "hash1", "other", 1), "", []string{"vm_dir/t/tag-1.json"}},
		"cut off early":   {manifest + "L", "", nil},
		"cut off":         {strings.TrimSuffix(manifest, "\thash1\t1\n"), "", []string{"vm_dir/t/tag-1.json"}},
	} {
		if got := registry.Missing([]byte(manifest+"L\n"), []byte(c.applied), []byte(c.placed)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
