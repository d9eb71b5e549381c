package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/replicationops"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// mark makes sure of the marker files, of the hosts that answer.
func (s *stage) mark(ctx context.Context) (registry.Marking, diag.Diagnostics) {
	_, seeded, all := s.at.Model.replicationSettings(ctx)
	containers := map[string]string{}
	var directories []string // the same for all of them
	for _, r := range s.at.Service.Desired.Replicas {
		directories = registry.Directories(r.Spec.Env)
		if id := s.at.View.Hosts[r.Host].Container.ID; id != "" && slices.Contains(s.service.Known, r.Host) {
			containers[r.Host] = id
		}
	}
	found, err := replicationops.ReadMarks(ctx, s.at.Data.Hosts, containers, directories)
	if err != nil {
		all.Append(failed("check the storage for", err))
		return registry.Marking{}, all
	}
	for _, r := range s.at.Service.Desired.Replicas {
		if m, has := registry.Data(r.Spec); has && containers[r.Host] != "" {
			mark := found[r.Host]
			mark.Place = m.Place()
			found[r.Host] = mark
		}
	}
	var before []string
	for host := range containers {
		if place, marked := s.place(host); marked && place == s.nextPlace(host) {
			before = append(before, host)
		}
	}
	marks := registry.Marks{Known: s.latest.ID, Before: before, Primary: s.at.Model.primary(), Seeded: seeded, Found: found, Fresh: replicationops.NewID()}
	if s.relocates(marks.Primary) {
		marks.Primary = "" // its storage changes, as the plan has told, and a new term begins
	}
	marking, err := marks.Decide()
	if err != nil {
		all.Append(failed("run", err))
		return marking, all
	}
	writing := map[string]string{}
	for _, host := range marking.Write {
		writing[host] = containers[host]
	}
	if err := replicationops.WriteMarks(ctx, s.at.Data.Hosts, writing, replicationops.NewMark{ID: marking.ID, First: s.at.Model.primary()}); err != nil {
		all.Append(failed("mark the storage for", err))
		return marking, all
	}
	for _, host := range marking.Lost {
		all.AddWarning("Disk not mounted?", fmt.Sprintf("The storage of the registry on %s, %s, had the file %s and has it no more. Its disk is not mounted, or was emptied. "+
			"Nothing is replicated from or to it until the file is back, and the provider does not write it again. %s", host, found[host].Place, replication.Sentinel, wayBack))
	}
	return marking, all
}

// wayBack says what to do about a marker file that is gone.
const wayBack = "Mount the disk and restart the registry's containers, that of the replication included. If the disk is there, with all its data, and only the file is gone, copy the file from another replica. " +
	"If the data is lost for good, take the host out of replicas, apply, and add it again; a primary has to be another one before that, with accept_data_loss = true for that one apply."

// suspend ends a replication of storage that the registries have left: it would
// go on with what nobody pushes to any more, and call itself in sync.
func (s *stage) suspend(ctx context.Context) diag.Diagnostics {
	var all diag.Diagnostics
	var left []string
	for _, host := range s.service.Known {
		if place, marked := s.place(host); marked && s.nextPlace(host) != "" && place != s.nextPlace(host) {
			left = append(left, host)
		}
	}
	if len(left) == 0 || ctx.Err() != nil {
		return all
	}
	if _, err := s.service.Destroy(ctx, false); err != nil {
		all.Append(failed("stop", err))
		return all
	}
	all.AddWarning("Nothing is replicated", fmt.Sprintf("The storage of the registry on %s changed, and the replication of it cannot go on as the errors say. "+
		"Its containers were removed, since they had the former storage. The next apply makes them again.", strings.Join(left, ", ")))
	return all
}

// place is where the storage of a host was that got the marker file: what the
// container of the replication has mounted, or what the state says.
func (s *stage) place(host string) (string, bool) {
	found := s.view.Hosts[host].Container
	if _, ours := registry.ParseTenure(found.Labels[container.LabelTenure]); ours {
		for _, m := range found.Mounts {
			if m.Target == replication.DataPath {
				return placeOf(m), true
			}
		}
	}
	place, known := s.saved.Marked[host]
	return place, known
}

// nextPlace is where the storage of a host is from now on.
func (s *stage) nextPlace(host string) string {
	for _, r := range s.at.Service.Desired.Replicas {
		if m, has := registry.Data(r.Spec); has && r.Host == host {
			return placeOf(m)
		}
	}
	return ""
}

func placeOf(m container.Mount) string { return string(m.Type) + " " + m.Source }
