package registry

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/rolloutops"
	"github.com/anka-ha/terraform-provider-anka/internal/resources/replicas"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/dockerstub"
	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// private is a private state.
type private map[string][]byte

func (p private) GetKey(_ context.Context, key string) ([]byte, diag.Diagnostics) { return p[key], nil }

func (p private) SetKey(_ context.Context, key string, value []byte) diag.Diagnostics {
	p[key] = value
	return nil
}

func (p private) saved(t *testing.T) saved {
	t.Helper()
	var s saved
	if err := json.Unmarshal(p[savedKey], &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// emptyObject is an object of an attribute of which nothing is set.
func emptyObject(t *testing.T, of attr.Type) types.Object {
	t.Helper()
	object, _ := of.(types.ObjectType)
	values := map[string]attr.Value{}
	for name, each := range object.AttrTypes {
		value, err := each.ValueFromTerraform(t.Context(), tftypes.NewValue(each.TerraformType(t.Context()), nil))
		if err != nil {
			t.Fatal(err)
		}
		values[name] = value
	}
	return types.ObjectValueMust(object.AttrTypes, values)
}

// replicatedModel is a configuration of h1 and h2 with replication.
func replicatedModel(t *testing.T, primary string) *model {
	t.Helper()
	element := types.ObjectType{AttrTypes: map[string]attr.Type{}}
	empty := types.ObjectValueMust(map[string]attr.Type{}, map[string]attr.Value{})
	m := &model{Primary: types.StringValue(primary), Replication: emptyObject(t, replicationAttribute().GetType())}
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
	s := stageOf(replicatedModel(t, "h1"), replicatedModel(t, "h2"), registry.Storage{Path: "/srv/registry"})
	for range 2 { // the second time as the apply asks, which has the next tenure already
		from := s.movingFrom()
		if why := s.unknowable(from); from != "h1" || why == nil || !strings.Contains(why.Error(), "change storage first, and primary in a later apply") {
			t.Errorf("from %q: %v", from, why)
		}
		if next := s.nextTenure("r1"); next.Primary != "h2" || next.Term <= firstTenure.Term {
			t.Errorf("got %+v", next)
		}
	}
	s = stageOf(replicatedModel(t, "h1"), replicatedModel(t, "h2"), registry.Storage{})
	if why := s.unknowable("h1"); why != nil {
		t.Errorf("storage stays: %v", why)
	}
}

// TestStage_nextTenure: a term is that of one storage of one primary that was
// its storage all the time.
func TestStage_nextTenure(t *testing.T) {
	path := registry.Storage{Path: "/srv/registry"}
	for name, c := range map[string]struct {
		storage registry.Storage
		alter   func(*stage)
		same    bool
	}{
		"nothing changes": {registry.Storage{}, func(*stage) {}, true},
		"other storage":   {path, func(*stage) {}, false},
		"another machine": {registry.Storage{}, func(s *stage) { s.view.Hosts["h1"] = rollout.Host{} }, false},
		"silent primary": {registry.Storage{}, func(s *stage) {
			s.view.Hosts["h1"], s.service.Known = rollout.Host{}, []string{"h2"}
		}, true},
		"follower is gone": {registry.Storage{}, func(s *stage) { s.view.Hosts["h2"] = rollout.Host{} }, true},
	} {
		s := stageOf(replicatedModel(t, "h1"), replicatedModel(t, "h1"), c.storage)
		c.alter(s)
		if next := s.nextTenure("r1"); (next.Term == firstTenure.Term) != c.same || next.Primary != "h1" || s.latest != firstTenure {
			t.Errorf("%s: got %+v, and known is %+v", name, next, s.latest)
		}
	}
}

// TestStage_stop: while there is no replication the primary may lose what the
// replicas have, as when a backup is restored, and that is no deletion. So one
// that is put back begins a new term, also where a container of the former one
// was left on a silent host; one that is interrupted then goes on with its own.
func TestStage_stop(t *testing.T) {
	fleet := dockerhost.NewFleet()
	for _, host := range []string{"h1", "h2"} {
		fleet.Add((&dockerstub.Daemon{}).Host(t, host))
	}
	off := replicatedModel(t, "h1")
	off.Replication = types.ObjectNull(map[string]attr.Type{})
	s, kept := stageOf(replicatedModel(t, "h1"), off, registry.Storage{}), private{}
	s.at.Save, s.at.Data = kept, &providerdata.Data{Hosts: fleet}
	s.service.Fleet, s.service.Desired = fleet, rollout.Desired{Owner: "anka", Role: container.Replication}
	if all := s.stop(t.Context()); all.HasError() {
		t.Fatal(all)
	}
	ended := kept.saved(t)
	if ended.Tenure.ID != "r1" || ended.Tenure.Term != firstTenure.Term || len(ended.Marked) != 2 {
		t.Errorf("saved is %+v", ended)
	}
	next := registry.Latest(ended.Tenure, firstTenure).Next("r1", "h1", 1000)
	if next.Term != 1000 {
		t.Errorf("it goes on with %+v", next)
	}
	if again := registry.Latest(ended.Tenure, firstTenure, next).Next("r1", "h1", 2000); again != next {
		t.Errorf("interrupted, it goes on with %+v", again)
	}
}

// TestCompanion_movesAndEnds: a replication that ends while the primary moves is
// compared once more before that, since there is no way back afterwards.
func TestCompanion_movesAndEnds(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.Add(dockerstub.Silent(t, "h1"))
	fleet.Add((&dockerstub.Daemon{}).Host(t, "h2"))
	off := replicatedModel(t, "h2")
	off.Replication = types.ObjectNull(map[string]attr.Type{})
	kept := private{savedKey: []byte(`{"tenure":{"id":"r1","term":5,"primary":"h1"},"marked":{}}`)}
	at := occasion{
		Model: off, Before: replicatedModel(t, "h1"), Service: &rolloutops.Service{Desired: registriesAt(registry.Storage{})},
		Data: &providerdata.Data{Hosts: fleet}, Private: kept, Save: kept,
	}
	all := companion{}.Apply(t.Context(), at)
	if !all.HasError() || !strings.Contains(all.Errors()[0].Detail(), "old primary on h1 cannot be reached") || kept.saved(t).Tenure.Primary != "h1" {
		t.Errorf("got %v, and kept is %+v", all, kept.saved(t))
	}
	off.AcceptDataLoss = types.BoolValue(true)
	if all := (companion{}).Apply(t.Context(), at); all.HasError() || kept.saved(t).Tenure.Primary != "" {
		t.Errorf("accepted: got %v, and kept is %+v", all, kept.saved(t))
	}
}

// TestCompanion_firstFails: containers that the apply of a first replication has
// made before it failed are remembered, though the state knows of none.
func TestCompanion_firstFails(t *testing.T) {
	fleet, daemons := dockerhost.NewFleet(), map[string]*dockerstub.Daemon{}
	for _, host := range []string{"h1", "h2"} {
		daemons[host] = &dockerstub.Daemon{}
		fleet.Add(daemons[host].Host(t, host))
	}
	off := replicatedModel(t, "h1")
	off.Replication = types.ObjectNull(map[string]attr.Type{})
	kept := private{}
	at := occasion{
		Model: replicatedModel(t, "h1"), Before: off, Service: &rolloutops.Service{Desired: registriesAt(registry.Storage{})},
		Data: &providerdata.Data{Hosts: fleet}, Private: kept, Save: kept,
	}
	if all := (companion{}).Apply(t.Context(), at); !all.HasError() || !strings.Contains(all.Errors()[0].Summary(), "Unable to run") {
		t.Fatalf("nothing can be made on these hosts, and it says %v", all)
	}
	if left := kept.saved(t).Left; len(left) != 2 {
		t.Errorf("remembered are %v", left)
	}
	id := container.Identity{Owner: "anka", Role: container.Replication, Instance: "h2"}
	daemons["h2"].Runs(id, 0, "", nil)
	at.Model = off
	if beside, all := (companion{}).Plan(t.Context(), at); all.HasError() || len(beside.After) != 1 {
		t.Errorf("the next plan has %v, %v", beside.After, all)
	}
	for _, private := range []private{kept, {}} { // without any when that apply was killed
		at.Before, at.Private = off, private
		all := companion{}.Remove(t.Context(), at)
		if !all.HasError() || !strings.Contains(all.Errors()[0].Detail(), "remove registry-replication on h2") {
			t.Errorf("destroying does not come to the container: %v", all)
		}
	}
}
