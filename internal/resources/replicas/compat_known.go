package replicas

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
)

// deployment gathers what is known of everything that has to work together:
// what other resources plan where they change something, and else what runs.
func (r *Resource[M]) deployment(ctx context.Context, q inquiry[M], wiring Wiring) compat.Deployment {
	shared := r.Shared(q.plan)
	token, secret := rootToken(r.Shared(q.config))
	sources := sources{changing: q.changing}
	if !q.applying {
		sources.announced = r.data.Announcements.All()
	}
	registries, members := wiring.registries(shared), wiring.members(shared, r.data)
	running := r.ask(ctx, q, statusops.RegistryQuestion{
		Via: sources.unanswered(compat.Registry, registries), Fleet: r.data.Hosts,
		Token: token, Secret: secret, Credentials: r.data.Credentials,
	}, sources.unanswered(compat.Etcd, members))

	r.doors(ctx, q, registries, running.registries)

	d := compat.Deployment{Token: token, Controllers: running.controllers}
	if q.changing {
		d.Locals = wiring.locals(shared)
	}
	if release, source := compat.Tagged(shared.Image.ValueString()); !release.IsZero() {
		d.Controllers = compat.Known{Release: release, Source: source}
	}
	for _, at := range registries {
		if answer, answered := running.registries[at.URL]; answered {
			d.Registries = append(d.Registries, compat.RegistryKnown{Known: answers(at.URL, answer.Version), Door: answer.Door})
		} else if planned, counts := sources.planned(compat.Registry, at); counts {
			d.Registries = append(d.Registries, compat.RegistryKnown{Known: planned.Known(), Door: planned.Door(token, secret)})
		}
	}
	for _, at := range members {
		if version, answered := running.etcd[at.URL]; answered {
			d.Etcd = append(d.Etcd, answers(at.URL, version))
		} else if planned, counts := sources.planned(compat.Etcd, at); counts {
			d.Etcd = append(d.Etcd, planned.Known())
		}
	}
	return d
}

// answers is what a running component says of itself.
func answers(url, version string) compat.Known {
	release, _ := compat.Parse(version)
	return compat.Known{URL: url, Release: release, Source: "it answers as " + version}
}

// sources decide between what is announced and what runs.
type sources struct {
	announced []compat.Planned
	// changing: the controllers are.
	changing bool
}

// planned is what is announced for a place. It counts where the apply changes
// what is there, and where nothing else is known of what controllers are about
// to be connected to.
func (s sources) planned(component compat.Component, at place) (planned compat.Planned, counts bool) {
	planned, told := compat.Find(s.announced, component, at.Place)
	return planned, told && (planned.Changing || s.changing)
}

// unanswered are the places that have to be asked, with the host to go
// through: none for a plan that leaves the controllers as they are, and none
// where the answer would be of what is about to go.
func (s sources) unanswered(component compat.Component, places []place) map[string]string {
	via := map[string]string{}
	for _, at := range places {
		planned, told := compat.Find(s.announced, component, at.Place)
		if _, twice := via[at.URL]; twice || !s.changing || at.URL == "" || told && planned.Changing {
			continue
		}
		via[at.URL] = at.via
	}
	return via
}

// running is what running components have answered, by URL.
type running struct {
	registries  map[string]statusops.RegistryAnswer
	etcd        map[string]string
	controllers compat.Known
}

// ask asks everything at the same time.
func (r *Resource[M]) ask(ctx context.Context, q inquiry[M], registries statusops.RegistryQuestion, members map[string]string) running {
	ctx, cancel := context.WithTimeout(ctx, compatTimeout)
	defer cancel()
	etcd := statusops.EtcdQuestion{Members: map[string]statusops.EtcdMember{}, Fleet: r.data.Hosts}
	for url, host := range members {
		etcd.Members[url] = statusops.EtcdMember{Host: host, URL: url}
	}
	var found running
	var wg sync.WaitGroup
	wg.Go(func() { found.registries = statusops.AskRegistries(ctx, registries) })
	wg.Go(func() { found.etcd = statusops.EtcdVersions(ctx, etcd) })
	wg.Go(func() { found.controllers = r.askControllers(ctx, q) })
	wg.Wait()
	return found
}

// askControllers asks those that run which release they are, where the tag does
// not tell and the image stays: the next container is the same then.
func (r *Resource[M]) askControllers(ctx context.Context, q inquiry[M]) compat.Known {
	if !q.changing || q.state == nil || !r.Shared(q.state).Image.Equal(r.Shared(q.plan).Image) {
		return compat.Known{}
	}
	if _, tagged := compat.OfImage(r.Shared(q.plan).Image.ValueString()); tagged {
		return compat.Known{}
	}
	urls := Strings(r.Shared(q.state).URLs)
	var mu sync.Mutex
	versions := map[string]string{}
	var wg sync.WaitGroup
	for host, url := range urls {
		wg.Go(func() {
			answer, err := statusops.Ask(ctx, statusops.Question{
				URL: url, Host: host, Fleet: r.data.Hosts, Credentials: r.data.Credentials,
			})
			if err == nil && answer.Status != nil {
				mu.Lock()
				defer mu.Unlock()
				versions[host] = answer.Status.Version
			}
		})
	}
	wg.Wait()
	for _, host := range slices.Sorted(maps.Keys(versions)) {
		known := answers(urls[host], versions[host])
		known.Source += " at " + urls[host]
		return known
	}
	return compat.Known{}
}
