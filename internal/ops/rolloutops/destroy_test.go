package rolloutops

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// stored is a service whose replicas keep their data in the volume data.
func stored(hosts ...string) rollout.Desired {
	d := desired()
	for _, host := range hosts {
		spec := container.Spec{Image: "new", Mounts: []container.Mount{{Type: container.Volume, Source: "data", Target: "/data"}}}
		d.Replicas = append(d.Replicas, rollout.Replica{Host: host, Spec: spec.Owned(d.Identity(host))})
	}
	return d
}

// populated are hosts that run the service, with its volume, one it had used
// before, and one of somebody else.
func populated(d rollout.Desired) map[string]*daemon {
	daemons := map[string]*daemon{}
	for _, r := range d.Replicas {
		host := &daemon{}
		host.runs(r.Spec)
		host.has("data", r.Spec.Labels)
		host.has("before", r.Spec.Labels)
		host.has("else", nil)
		daemons[r.Host] = host
	}
	return daemons
}

// TestDestroy_silentHost: what runs on a host that does not answer would be
// forgotten, so nothing is removed anywhere, and the error tells the ways out.
func TestDestroy_silentHost(t *testing.T) {
	d := stored("h1", "h2", "h3")
	daemons := populated(d)
	hosts := fleet(t, daemons)
	silence(t, hosts, "h2")
	s := &Service{Desired: d, Fleet: hosts}
	left, err := s.Destroy(t.Context(), true)
	var unreachable *rollout.UnreachableError
	if !errors.As(err, &unreachable) || !slices.Equal(unreachable.Hosts, []string{"h2"}) || len(left) > 0 {
		t.Fatalf("got %v, %v", left, err)
	}
	for _, want := range []string{"terraform state rm", `host "h2"`, "Nothing has been changed on any host"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	for name, host := range daemons {
		if len(host.changes) > 0 {
			t.Errorf("on %s there were %v", name, host.changes)
		}
	}
}

// TestDestroy_hostLeftTheProviderBlock is as silent as one that is down.
func TestDestroy_hostLeftTheProviderBlock(t *testing.T) {
	d := stored("h1", "h2")
	daemons := populated(stored("h1"))
	s := &Service{Desired: d, Fleet: fleet(t, daemons)}
	_, err := s.Destroy(t.Context(), false)
	var missing *dockerhost.NoHostError
	if !errors.As(err, &missing) || len(daemons["h1"].changes) > 0 {
		t.Errorf("got %v, %v", err, daemons["h1"].changes)
	}
}

func TestDestroy_keepsOrPurgesVolumes(t *testing.T) {
	for purge, want := range map[bool]string{
		false: "[volume before on h1 volume before on h2 volume data on h1 volume data on h2]",
		true:  "[volume before on h1 volume before on h2]",
	} {
		d := stored("h1", "h2")
		daemons := populated(d)
		s := &Service{Desired: d, Fleet: fleet(t, daemons)}
		left, err := s.Destroy(t.Context(), purge)
		if err != nil || fmt.Sprint(left) != want {
			t.Errorf("purge %v: got %v, %v", purge, left, err)
		}
		for name, host := range daemons {
			if len(host.containers) > 0 {
				t.Errorf("%s still has %v", name, host.containers)
			}
			for _, change := range host.changes {
				if change == "DELETE /volumes/before" || change == "DELETE /volumes/else" || (!purge && strings.Contains(change, "volumes")) {
					t.Errorf("purge %v: on %s there was %s", purge, name, change)
				}
			}
		}
	}
}

// TestKept_listsPathsThoughAHostIsSilent.
func TestKept_listsPathsThoughAHostIsSilent(t *testing.T) {
	d := desired("h1", "h2")
	for i := range d.Replicas {
		d.Replicas[i].Spec.Mounts = []container.Mount{{Type: container.Bind, Source: "/srv", Target: "/data"}}
	}
	hosts := fleet(t, populated(stored("h1")))
	silence(t, hosts, "h2")
	left, err := (&Service{Desired: d, Fleet: hosts}).Kept(t.Context())
	if want := "[/srv on h1 /srv on h2 volume before on h1 volume data on h1]"; fmt.Sprint(left) != want || !dockerhost.IsUnreachable(err) {
		t.Errorf("got %v, %v", left, err)
	}
}

// TestPlan_findsForeignVolumes before anything is touched, and asks for
// volumes only where a container is created.
func TestPlan_findsForeignVolumes(t *testing.T) {
	d := stored("h1", "h2")
	daemons := map[string]*daemon{"h1": {image: "new"}, "h2": {image: "new"}}
	daemons["h1"].runs(d.Replicas[0].Spec)
	daemons["h2"].has("data", nil)
	s := &Service{Desired: d, Fleet: fleet(t, daemons)}
	_, _, err := s.Plan(t.Context())
	var taken *rollout.VolumeTakenError
	if !errors.As(err, &taken) || taken.Host != "h2" || taken.Volume != "data" {
		t.Errorf("planning gave %v", err)
	}
	if fault, _ := FaultOf(err); fault.Attribute != "storage.volume" {
		t.Errorf("the fault is at %+v", fault)
	}
	s = &Service{Desired: d, Fleet: s.Fleet}
	if _, err := s.Apply(t.Context()); !errors.As(err, &taken) {
		t.Errorf("applying gave %v", err)
	}
	if daemons["h1"].listed != 0 || daemons["h2"].listed != 2 || len(daemons["h1"].changes)+len(daemons["h2"].changes) > 0 {
		t.Errorf("%d and %d listings, changes %v %v", daemons["h1"].listed, daemons["h2"].listed, daemons["h1"].changes, daemons["h2"].changes)
	}
}

// TestFaultOf_tellsPortsApart: a further port is the fault of its setting, also
// when what has it is no container, which only the start tells.
func TestFaultOf_tellsPortsApart(t *testing.T) {
	ports := map[int]string{2112: "monitoring.port"}
	for _, c := range []struct {
		err  error
		want Fault
	}{
		{&rollout.PortTakenError{Host: "h1", Port: 80}, Fault{Attribute: "port", Host: "h1"}},
		{&rollout.PortTakenError{Host: "h1", Port: 2112, Attribute: "monitoring.port"}, Fault{Attribute: "monitoring.port"}},
		{&HostError{Host: "h1", Err: &dockerhost.PortTakenError{Host: "h1", Port: 80}, ports: ports}, Fault{Attribute: "port", Host: "h1"}},
		{&HostError{Host: "h1", Err: &dockerhost.PortTakenError{Host: "h1", Port: 2112}, ports: ports}, Fault{Attribute: "monitoring.port"}},
		{&HostError{Host: "h1", Err: &dockerhost.PortTakenError{Host: "h1"}, ports: ports}, Fault{Attribute: "port", Host: "h1"}},
	} {
		if got, ok := FaultOf(c.err); !ok || got != c.want {
			t.Errorf("%v: got %+v", c.err, got)
		}
	}
}

func TestFaultOf_tellsNamesApart(t *testing.T) {
	for kind, want := range map[string]string{"volume": "storage.volume", "container": "name"} {
		if fault, _ := FaultOf(&HostError{Host: "h1", Err: &dockerhost.NameTakenError{Kind: kind}}); fault.Attribute != want {
			t.Errorf("a taken %s is the fault of %q", kind, fault.Attribute)
		}
	}
}
