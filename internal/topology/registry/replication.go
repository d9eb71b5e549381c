package registry

import (
	"slices"
	"strconv"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// Tenure is the time in which one host is the primary of one registry.
type Tenure struct {
	// ID is the registry's, which the marker file of every storage holds.
	ID string `json:"id"`
	// Term is [replication.Settings.Term].
	Term int `json:"term"`
	// Primary is the host.
	Primary string `json:"primary"`
	// Authority stands for the certificates with which the containers of this
	// tenure trust each other, "" where that is not known.
	Authority string `json:"-"`
}

// Label is the value of [container.LabelTenure].
func (t Tenure) Label() string {
	return strings.Join([]string{t.ID, strconv.Itoa(t.Term), t.Primary, t.Authority}, " ")
}

// ParseTenure reads the label; ok is false for what [Tenure.Label] has not
// written.
func ParseTenure(label string) (t Tenure, ok bool) {
	words := strings.Split(label, " ")
	if len(words) != 4 {
		return t, false
	}
	term, err := strconv.Atoi(words[1])
	if err != nil || words[0] == "" || words[2] == "" {
		return t, false
	}
	return Tenure{ID: words[0], Term: term, Primary: words[2], Authority: words[3]}, true
}

// Latest is the tenure of the highest term, the zero value of none.
func Latest(known ...Tenure) Tenure {
	var latest Tenure
	for _, t := range known {
		if t.ID != "" && (latest.ID == "" || t.Term > latest.Term) {
			latest = t
		}
	}
	return latest
}

// Next is the tenure of primary after t: t itself when the primary stays. A new
// one gets a term that no tenure of this registry ever had, also not one of
// which nothing is known any more, because followers delete what an earlier
// list of the same term had: now, in seconds since 1970, or more.
func (t Tenure) Next(id, primary string, now int64) Tenure {
	if t.ID == id && t.Primary == primary {
		return t
	}
	return Tenure{ID: id, Term: max(t.Term+1, int(now)), Primary: primary}
}

// Replicated is how the replicas of one anka_registry follow the primary.
type Replicated struct {
	// Settings without Owner, RegistryID, Term and the directories, which
	// follow from what is below.
	Settings replication.Settings
	Tenure   Tenure
	// Registries are the rendered registries, and Replicas where they are
	// reached.
	Registries rollout.Desired
	Replicas   []service.Replica
	// Credentials by host; none for a plan.
	Credentials map[string]replication.Credentials
}

// Desired renders the source on the primary's host and a follower on each of
// the others. With one replica there is nothing to replicate.
func (r Replicated) Desired() rollout.Desired {
	d := rollout.Desired{Owner: r.Registries.Owner, Role: container.Replication, Partial: r.Registries.Partial, Together: container.LabelTenure}
	at := slices.IndexFunc(r.Replicas, func(each service.Replica) bool { return each.Host == r.Tenure.Primary })
	if at < 0 || len(r.Registries.Replicas) < 2 {
		return d
	}
	settings := r.Settings
	settings.Owner, settings.RegistryID, settings.Term = d.Owner, r.Tenure.ID, r.Tenure.Term
	for _, each := range r.Registries.Replicas {
		storage, has := Data(each.Spec)
		if !has {
			continue
		}
		directories := Directories(each.Spec.Env)
		settings.LayerDirs, settings.MetadataDir = directories[:2], directories[2]
		var spec container.Spec
		if each.Host == r.Tenure.Primary {
			spec = settings.Source(storage, r.Credentials[each.Host])
		} else {
			spec = settings.Follower(storage, r.Replicas[at].Address, r.Credentials[each.Host])
		}
		// What the registries need to find each other's hosts, replication needs.
		spec.DNS, spec.ExtraHosts = each.Spec.DNS, each.Spec.ExtraHosts
		spec.Labels = map[string]string{container.LabelTenure: r.Tenure.Label()}
		if record, has := each.Spec.Labels[container.LabelRecord]; has {
			spec.Labels[container.LabelRecord] = record
		}
		d.Replicas = append(d.Replicas, rollout.Replica{Host: each.Host, Spec: spec.Owned(d.Identity(each.Host))})
	}
	return d
}

// Data is where the registry of spec keeps its templates, as another container
// on the same host mounts it; false when that is not on the host.
func Data(spec container.Spec) (container.Mount, bool) {
	at := slices.IndexFunc(spec.Mounts, func(m container.Mount) bool { return m.Target == BasePath && m.Type != container.External })
	if at < 0 {
		return container.Mount{}, false
	}
	storage := spec.Mounts[at]
	storage.Borrowed = true
	return storage, true
}
