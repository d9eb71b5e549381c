package replicas

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/diags"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// ImportState takes a service over by its name, from the labels that its
// containers carry on the hosts of the provider block. It changes nothing.
func (r *Resource[M]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if !container.ValidName(req.ID) {
		resp.Diagnostics.AddError(r.cannotImport(), fmt.Sprintf("%q is not the name of a %s. Import by its name: terraform import anka_%s.this %s",
			req.ID, r.Role, r.Role, DefaultName))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	finding, err := rolloutops.Find(ctx, r.data.Hosts, r.Role, req.ID)
	if err != nil {
		resp.Diagnostics.AddError(r.cannotImport(), diags.Sentence(err))
		return
	}
	resp.Diagnostics.Append(r.importable(req.ID, finding)...)
	if resp.Diagnostics.HasError() {
		return
	}
	recorded := finding
	if r.Beside != "" {
		beside, err := rolloutops.Find(ctx, r.data.Hosts, r.Beside, req.ID)
		if err != nil {
			resp.Diagnostics.AddError(r.cannotImport(), diags.Sentence(err))
			return
		}
		recorded.Replicas = maps.Clone(finding.Replicas)
		for host, found := range beside.Replicas {
			// An attribute that is theirs alone changes no container of the service.
			recorded.Replicas[host] = slices.Concat(recorded.Replicas[host], found)
		}
	}
	entries, diagnostics := r.entries(req.ID, recorded)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	raw, err := decode(resp.State.Raw.Type(), restored(entries, finding))
	if err != nil {
		resp.Diagnostics.AddError(r.cannotImport(), fmt.Sprintf("What the container on %s was made of does not fit this version of the provider: %v. %s",
			entries[0].host, err, takeOverInstead))
		return
	}
	// Computed attributes are not recorded; they follow from the others and
	// from what the hosts say.
	resp.State.Raw = raw
	resp.Diagnostics.Append(r.complete(ctx, resp, finding)...)
}

func (r *Resource[M]) cannotImport() string { return fmt.Sprintf("Unable to import %s", r.Role) }

// takeOverInstead is the way without an import.
const takeOverInstead = "Write the configuration and apply it without importing: a new resource of the same name takes over the containers " +
	"that are there, and replaces, one host at a time, those that were made of another configuration"

// importable refuses a service that is nowhere, or not where its labels say.
func (r *Resource[M]) importable(name string, f rolloutops.Finding) diag.Diagnostics {
	var all diag.Diagnostics
	silent := ""
	for _, host := range f.SilentHosts() {
		silent += "\n\n" + diags.Sentence(f.Silent[host])
	}
	switch {
	case len(f.Unknown) > 0:
		all.AddError(r.cannotImport(), fmt.Sprintf("Hosts of the provider block depend on resources that have not been created yet: %s. Create those first.",
			strings.Join(f.Unknown, ", ")))
	case len(f.Asked)+len(f.Silent) == 0:
		all.AddError(r.cannotImport(), "The provider block has no hosts to look for it on.")
	case len(f.Replicas) == 0 && len(f.Asked) == 0:
		all.AddError(r.cannotImport(), fmt.Sprintf("No host of the provider block answers, so it is not known where %s %q runs.%s", r.Role, name, silent))
	case len(f.Replicas) == 0 && silent != "":
		all.AddError(r.cannotImport(), fmt.Sprintf("There is no container of %s %q on %s, and other hosts do not answer: %s. Check the name, or bring those hosts back.%s",
			r.Role, name, strings.Join(f.Asked, ", "), strings.Join(f.SilentHosts(), ", "), silent))
	case len(f.Replicas) == 0:
		all.AddError(r.cannotImport(), fmt.Sprintf("There is no container of %s %q on any host of the provider block: %s. Check the name and the hosts.",
			r.Role, name, strings.Join(f.Asked, ", ")))
	}
	for _, host := range f.Hosts() {
		for _, found := range f.Replicas[host] {
			if id, _ := found.Identity(); id.Instance != host {
				all.AddError(r.cannotImport(), fmt.Sprintf("Host %q has the container %s, which was made for a host called %q. "+
					"Call the host in the provider block as it was called then, and import again.", host, found.Name, id.Instance))
			}
		}
	}
	return all
}

// located is what one host's container was made of.
type located struct {
	host string
	entry
}

// entries are the records that were found, the newest first.
func (r *Resource[M]) entries(name string, f rolloutops.Finding) ([]located, diag.Diagnostics) {
	var all diag.Diagnostics
	var found []located
	for _, host := range f.Hosts() {
		for _, c := range f.Replicas[host] {
			e, ok, err := recall(c)
			if err != nil {
				all.AddError(r.cannotImport(), fmt.Sprintf("Host %q: %v. %s.", host, err, takeOverInstead))
			}
			if ok {
				found = append(found, located{host, e})
			}
		}
	}
	if len(found) == 0 && !all.HasError() {
		all.AddError(r.cannotImport(), fmt.Sprintf("The containers of %s %q on %s were made by a version of this provider that did not record their configuration. %s.",
			r.Role, name, strings.Join(f.Hosts(), ", "), takeOverInstead))
	}
	slices.SortStableFunc(found, func(a, b located) int { return b.Made.Compare(a.Made) })
	return found, all
}

// restored are the attributes of the newest record, with the replicas that are
// there. Those on hosts that do not answer are there as far as is known, those
// on hosts that answer are only when they have been found. Each is set as when
// it was last recorded.
func restored(entries []located, f rolloutops.Finding) map[string]any {
	replicas := map[string]any{}
	newest, _ := entries[0].Attributes["replicas"].(map[string]any)
	for host := range newest {
		if _, silent := f.Silent[host]; silent {
			replicas[host] = newest[host]
		}
	}
	for _, host := range f.Hosts() {
		replicas[host] = map[string]any{}
		for _, e := range entries {
			recorded, _ := e.Attributes["replicas"].(map[string]any)
			if one, is := recorded[host]; is {
				replicas[host] = one
				break
			}
		}
	}
	attributes := map[string]any{}
	for name, v := range entries[0].Attributes {
		attributes[name] = v
	}
	attributes["replicas"] = replicas
	return attributes
}

// complete fills in what the provider computes, records the fingerprints of
// what serves, and tells what was not found as it should be.
func (r *Resource[M]) complete(ctx context.Context, resp *resource.ImportStateResponse, f rolloutops.Finding) diag.Diagnostics {
	var m M
	all := resp.State.Get(ctx, &m)
	if all.HasError() {
		return all
	}
	shared := r.Shared(&m)
	s, diagnostics := r.service(ctx, &m, nil)
	all.Append(diagnostics...)
	if all.HasError() {
		return all
	}
	defer s.Close()
	view, err := s.Observe(ctx)
	if err != nil {
		all.AddError(r.cannotImport(), diags.Sentence(err))
		return all
	}
	shared.Ready = types.BoolValue(view.Ready(s.Desired))
	all.Append(r.settle(ctx, &m, rolloutops.Result{View: view})...)
	all.Append(record(ctx, resp.Private, view.Hashes(s.Desired))...)
	all.Append(resp.State.Set(ctx, &m)...)
	for _, host := range f.SilentHosts() {
		all.Append(silentAtImport(host, slices.Contains(shared.Hosts(), host), f.Silent[host]))
	}
	var differing []string
	for _, replica := range s.Desired.Replicas {
		found := view.Hosts[replica.Host].Container
		if found.Status != container.Absent && found.Hash() != replica.Spec.Labels[container.LabelHash] {
			differing = append(differing, replica.Host)
		}
	}
	if len(differing) > 0 {
		all.AddWarning("Containers were made of different configurations", fmt.Sprintf("The newest configuration that was found is imported. "+
			"The containers on %s were made of another one, as after an update that was interrupted. The next plan replaces them, one host at a time.",
			strings.Join(differing, ", ")))
	}
	return all
}

// silentAtImport tells what is assumed of a host that did not answer.
func silentAtImport(host string, replica bool, err error) diag.Diagnostic {
	assumed := fmt.Sprintf("According to the other hosts there is no replica on %s, and none is imported. If there is one, it is not managed: "+
		"bring the host back and import again, after terraform state rm.", host)
	if replica {
		assumed = fmt.Sprintf("According to the other hosts there is a replica on %s. It is imported as they describe it, and nothing on it is changed "+
			"before the host answers.", host)
	}
	return diag.NewWarningDiagnostic(fmt.Sprintf("Host %s did not answer", host), assumed+"\n\n"+diags.Sentence(err))
}
