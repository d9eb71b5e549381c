package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
)

// savedKey is the place of [saved] in the private state.
const savedKey = "replication"

// saved is what the private state knows of the replication, also of one that
// has ended.
type saved struct {
	Tenure registry.Tenure `json:"tenure"`
	// Marked are the hosts whose storage has the marker file, with the place of
	// that storage.
	Marked map[string]string `json:"marked"`
	// Left are hosts that may have containers of a replication that the state
	// does not know: they did not answer when it ended, or its first apply has
	// not.
	Left []string `json:"left,omitempty"`
}

func recall(ctx context.Context, at occasion) (saved, diag.Diagnostics) {
	var s saved
	if at.Private == nil {
		return s, nil
	}
	content, diagnostics := at.Private.GetKey(ctx, savedKey)
	if len(content) > 0 {
		if err := json.Unmarshal(content, &s); err != nil {
			s = saved{} // what the hosts have counts
		}
	}
	return s, diagnostics
}

// write saves it. at.Save is nil where nothing can be saved.
func (s *stage) write(ctx context.Context, now saved) diag.Diagnostics {
	content, _ := json.Marshal(now) // plain values cannot fail
	return s.at.Save.SetKey(ctx, savedKey, content)
}

func (s *stage) save(ctx context.Context, t registry.Tenure) diag.Diagnostics {
	// Hosts that do not answer keep what is known of them; those that left are
	// new when they come again.
	marked := map[string]string{}
	for _, host := range s.at.Model.Hosts() {
		if slices.Contains(s.service.Known, host) {
			marked[host] = s.nextPlace(host)
		} else if place, known := s.saved.Marked[host]; known {
			marked[host] = place
		}
	}
	return s.write(ctx, saved{Tenure: t, Marked: marked, Left: s.left()})
}

// replicatedBefore reports whether the state knows of a replication.
func (s *stage) replicatedBefore() bool {
	return s.at.Before == nil || !s.at.Before.Replication.IsNull()
}

// stop ends the replication, and remembers which storages have the marker file:
// of the hosts that stay. One that comes again later is new, so that its disk
// may be new, too.
func (s *stage) stop(ctx context.Context) diag.Diagnostics {
	var all diag.Diagnostics
	if _, err := s.service.Destroy(ctx, false); err != nil {
		all.Append(failed("stop", err))
		return all
	}
	marked := map[string]string{}
	for _, host := range s.at.Model.Hosts() {
		if place, known := s.place(host); known {
			marked[host] = place
		}
	}
	// The term ends here: what the primary loses before there is a replication
	// again, as when a backup is restored, is no deletion.
	ended := s.latest
	ended.Primary = ""
	all.Append(s.write(ctx, saved{Tenure: ended, Marked: marked, Left: s.left()})...)
	all.Append(s.leftBehind()...)
	return all
}

// left are the hosts that do not answer and may have a container of a
// replication that has ended for them.
func (s *stage) left() []string {
	var hosts []string
	for host := range s.view.Silent {
		ended := !s.at.Model.replicates() || !slices.Contains(s.at.Model.Hosts(), host)
		had := s.at.Before != nil && !s.at.Before.Replication.IsNull() && slices.Contains(s.at.Before.Hosts(), host)
		// One that has left the provider block can never be asked again.
		if declared, _ := s.at.Data.Hosts.Declares(host); ended && declared && (had || slices.Contains(s.saved.Left, host)) {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// leftBehind warns of hosts that [stage.left] names.
func (s *stage) leftBehind() diag.Diagnostics {
	var all diag.Diagnostics
	if hosts := s.left(); len(hosts) > 0 {
		all.AddWarning("Containers of the replication are left", fmt.Sprintf("The replication has ended, and %s did not answer, so that the container "+
			"of the replication there could not be removed. It runs on when the host is back, and deletes nothing that its primary did not delete. "+
			"It is remembered, and the first plan after that proposes to remove it.", strings.Join(hosts, ", ")))
	}
	return all
}
