package replicas

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/statusops"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// doors finds out about the registries that answer without credentials. That
// they do proves nothing, see [compat.Unguarded], so what their own resource
// says counts: in this run or, where it has nothing to do in it and is not
// heard of, when it made their containers.
func (r *Resource[M]) doors(ctx context.Context, q inquiry[M], registries []place, answers map[string]statusops.RegistryAnswer) {
	token, secret := rootToken(r.Shared(q.config))
	announced := r.data.Announcements.All()
	standing := sync.OnceValue(func() []compat.Planned { return r.standing(ctx) })
	for _, at := range registries {
		answer, answered := answers[at.URL]
		if !answered || answer.Door != compat.Unguarded {
			continue
		}
		said, told := compat.Find(announced, compat.Registry, at.Place)
		if q.applying || !told {
			// What was announced may not have been done. Where it was, only the
			// announcement has the token to compare with.
			if made, is := compat.Find(standing(), compat.Registry, at.Place); is && (!told || made.Token != said.Token) {
				said, told = made, true
			}
		}
		if told {
			answer.Door = said.Door(token, secret)
			answers[at.URL] = answer
		}
	}
}

// standing are the registries on all hosts, as the labels of their containers
// tell. What does not answer in time is left out.
func (r *Resource[M]) standing(ctx context.Context) []compat.Planned {
	ctx, cancel := context.WithTimeout(ctx, compatTimeout)
	defer cancel()
	found, _ := survey.Take(ctx, r.data.Hosts, r.data.Hosts.Names()) // an error is no answer
	all := []compat.Planned{}
	for name, containers := range found.Containers {
		host, err := r.data.Hosts.Host(name)
		if err != nil {
			continue
		}
		for _, c := range containers {
			all = append(all, standingAt(name, host.Address(), c)...)
		}
	}
	return all
}

// standingAt is the registry in a container, once for each of its ports.
func standingAt(host, address string, c container.Found) []compat.Planned {
	id, ours := c.Identity()
	made, recorded, err := recall(c)
	if !ours || id.Role != container.Registry || !recorded || err != nil {
		return nil
	}
	p := compat.Planned{Component: compat.Registry, Owner: id.Owner, Host: host, Token: compat.TokenAbsent}
	if version, is := made.Attributes["root_token_wo_version"].(json.Number); is && version != "" {
		p.Token = compat.TokenGiven
	}
	replicas, _ := made.Attributes["replicas"].(map[string]any)
	replica, _ := replicas[id.Instance].(map[string]any)
	if other, is := replica["address"].(string); is {
		address = other
	}
	var all []compat.Planned
	for _, port := range c.Ports {
		p.URL = service.URL(c.Labels[container.LabelScheme], address, port.HostPort)
		all = append(all, p)
	}
	return all
}
