package etcd

import (
	"fmt"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// nextBootstrap makes a new cluster: pull everywhere, create everywhere, start
// all at once, prove. It also finishes a bootstrap that was interrupted at any
// moment, which it knows by the labels of the containers it left.
func nextBootstrap(d Desired, o Observed, states []memberState) (topology.Step, error) {
	if silent := silentHosts(states); len(silent) > 0 {
		return nil, &Refusal{
			Summary: "Unable to bootstrap etcd cluster",
			Detail: fmt.Sprintf("No answer from %s. A new cluster is only started when all its hosts answer, so nothing was changed on any host. "+
				"See that all of them answer, and apply again.", topology.Hosts(silent)),
		}
	}
	started := filter(states, memberState.started)
	token, err := bootstrapToken(d, started)
	if err != nil {
		return nil, err
	}
	created := filter(states, func(s memberState) bool { return s.status() == container.Created })
	if len(started) == 0 && len(created) > 0 {
		token = created[0].token()
	}
	if discard := filter(created, func(s memberState) bool { return !s.fits(d, token) }); len(discard) > 0 {
		if len(started) == 0 {
			// Which of several tokens is right cannot be told, and nothing has
			// run yet: begin anew.
			discard = created
		}
		return Discard{Members: members(discard), Why: "an interrupted apply left them, and they do not match the configuration"}, nil
	}

	absent := filter(states, func(s memberState) bool { return s.status() == container.Absent })
	if len(absent) > 0 {
		if len(started) > 0 {
			return nil, halfCluster(d, started, absent)
		}
		for _, s := range states {
			if conflict := portConflict(d, o, s); conflict != nil {
				return nil, conflict
			}
		}
		if hosts := lacking(o, d, d, absent...); len(hosts) > 0 {
			return Pull{Image: d.Image, Hosts: hosts}, nil
		}
		return Create{Members: members(absent), Token: token}, nil
	}
	why := "all members of a new cluster must start together"
	if len(started) > 0 {
		why = "an interrupted apply left them stopped"
	}
	stopped := filter(states, func(s memberState) bool { return s.status() == container.Created || s.status() == container.Exited })
	if len(stopped) > 0 {
		return Start{Members: members(stopped), Why: why}, nil
	}
	return prove(o, states, "the cluster is new"), nil
}

// fits reports whether a never started container is what this bootstrap would
// create.
func (s memberState) fits(d Desired, token string) bool {
	return s.token() == token && s.birth() == Bootstrap && s.container.Hash() == d.Spec(s.Member, Bootstrap, token).Labels[container.LabelHash]
}

// bootstrapToken is the token of the members that an interrupted bootstrap has
// already started, else the fresh one. Started containers that do not match
// may hold data that someone needs: they are never adopted by name alone.
func bootstrapToken(d Desired, started []memberState) (string, error) {
	token := d.Token
	for i, s := range started {
		if i == 0 {
			token = s.token()
		}
		if s.token() == token && s.container.Hash() == d.Spec(s.Member, Bootstrap, token).Labels[container.LabelHash] {
			continue
		}
		return "", &Refusal{
			Member:  s.Name,
			Summary: "Another cluster of this name exists",
			Detail: fmt.Sprintf("On host %s there is a container %q of a cluster named %s that is not in this state and does not match this configuration: %s. "+
				"Nothing was changed. If it is this one, whose state was lost, import it: terraform import anka_etcd_cluster.NAME %s. "+
				"If it is another cluster, choose another name. If it is not needed, remove its containers by hand (its data stays in %s).",
				s.Host, s.container.Name, d.Cluster, mismatch(s, token), d.Cluster, d.Data(s.Member, s.container.Labels[container.LabelIncarnation]).Source),
		}
	}
	return token, nil
}

func mismatch(s memberState, token string) string {
	if s.token() != token {
		return "it was bootstrapped with another token than the other members, so it is of another cluster"
	}
	return "its image or settings differ"
}

// halfCluster refuses to create a member beside members that have run: with
// the old token it would be a twin if it had data before.
func halfCluster(d Desired, started, absent []memberState) error {
	return &Refusal{
		Member:  absent[0].Name,
		Summary: "Half of a cluster exists",
		Detail: fmt.Sprintf("Members %s of cluster %s have already run, but there is no container of %s, and the cluster is not in this state. "+
			"A member that is made anew under the old token can split the cluster, so nothing was changed. If its state was lost, import it: "+
			"terraform import anka_etcd_cluster.NAME %s. If it is not needed, remove the containers that are left by hand and apply again (their data stays where it is).",
			Places(members(started)), d.Cluster, Places(members(absent)), d.Cluster),
	}
}
