package registry

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/replicas"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// replicatedModel is a configuration of h1 and h2 with replication.
func replicatedModel(primary string) *model {
	element := types.ObjectType{AttrTypes: map[string]attr.Type{}}
	empty := types.ObjectValueMust(map[string]attr.Type{}, map[string]attr.Value{})
	m := &model{Primary: types.StringValue(primary), Replication: empty}
	m.Model = replicas.Model{Replicas: types.MapValueMust(element, map[string]attr.Value{"h1": empty, "h2": empty})}
	return m
}

// firstTenure is that of h1.
var firstTenure = registry.Tenure{ID: "r1", Term: 5, Primary: "h1", Authority: "abc"}

// registriesAt are the rendered registries of h1 and h2.
func registriesAt(storage registry.Storage) rollout.Desired {
	return registry.Settings{Settings: service.Settings{Owner: "anka"}, Storage: storage}.
		Desired([]service.Replica{{Host: "h1"}, {Host: "h2"}})
}

// stageOf is a replication that runs on h1 and h2, with firstTenure and the
// volumes that registries have unless told otherwise.
func stageOf(before, after *model, storage registry.Storage) *stage {
	view := rolloutops.View{Observed: rollout.Observed{Hosts: map[string]rollout.Host{}}}
	for _, host := range []string{"h1", "h2"} {
		view.Hosts[host] = rollout.Host{Container: container.Found{
			ID: host, Labels: map[string]string{container.LabelTenure: firstTenure.Label()},
			Mounts: []container.Mount{{Type: container.Volume, Source: registry.VolumeName("anka", host), Target: replication.DataPath}},
		}}
	}
	at := occasion{Model: after, Before: before, Service: &rolloutops.Service{Desired: registriesAt(storage)}}
	return &stage{at: at, service: &rolloutops.Service{Known: []string{"h1", "h2"}}, view: view, latest: firstTenure}
}

// TestStage_moveWithStorage: what the next primary will have at a new place is
// not what was compared, so that both changes at once are refused, by the plan
// and for the same reason by the apply.
func TestStage_moveWithStorage(t *testing.T) {
	s := stageOf(replicatedModel("h1"), replicatedModel("h2"), registry.Storage{Path: "/srv/registry"})
	for range 2 { // the second time as the apply asks, which has the next tenure already
		from := s.movingFrom()
		if why := s.unknowable(from); from != "h1" || why == nil || !strings.Contains(why.Error(), "change storage first, and primary in a later apply") {
			t.Errorf("from %q: %v", from, why)
		}
		if next := s.nextTenure("r1"); next.Primary != "h2" || next.Term <= firstTenure.Term {
			t.Errorf("got %+v", next)
		}
	}
	s = stageOf(replicatedModel("h1"), replicatedModel("h2"), registry.Storage{})
	if why := s.unknowable("h1"); why != nil {
		t.Errorf("storage stays: %v", why)
	}
}
