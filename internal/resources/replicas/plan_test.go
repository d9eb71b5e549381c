package replicas_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// TestPlan_hostsNotKnownYet: a provider block that depends on what the same
// apply creates is never an error, and the keys of urls are known all the same.
func TestPlan_hostsNotKnownYet(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.SetUnknown()
	planned, said := serve(t, "anka_controller", fleet).Plan(nil, controllers)
	if said != "" {
		t.Errorf("got %s", said)
	}
	var urls map[string]tftypes.Value
	if err := planned["urls"].As(&urls); err != nil || len(urls) != 2 || urls["h1"].IsKnown() || urls["h2"].IsKnown() {
		t.Errorf("got urls %v, %v", planned["urls"], err)
	}
	var join []tftypes.Value
	if err := planned["join_urls"].As(&join); err != nil || len(join) != 2 {
		t.Errorf("got join_urls %v, %v", planned["join_urls"], err)
	}
	if planned["ready"].IsKnown() {
		t.Errorf("got ready %v", planned["ready"])
	}
}

func TestPlan_replicasNotKnownYet(t *testing.T) {
	planned, said := serve(t, "anka_registry", dockerhost.NewFleet()).Plan(nil, object{"replicas": unknown{}, "primary": unknown{}})
	if said != "" || planned["urls"].IsKnown() || planned["primary_url"].IsKnown() {
		t.Errorf("got %s, urls %v, primary_url %v", said, planned["urls"], planned["primary_url"])
	}
}

func TestPlan_unknownHost(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.Add(closed(t, "h1"))
	_, said := serve(t, "anka_registry", fleet).Plan(nil, registries)
	want := `error ("replicas").("h2"): Unknown host: There is no host "h2"; the provider block has: h1.`
	if !strings.HasPrefix(said, want) {
		t.Errorf("got  %s\nwant %s", said, want)
	}
}

// TestPlan_hostDown: a service cannot be made while one of its hosts is down,
// and the plan says so in time.
func TestPlan_hostDown(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.Add(closed(t, "h1"))
	fleet.Add(closed(t, "h2"))
	_, said := serve(t, "anka_registry", fleet).Plan(nil, registries)
	for _, want := range []string{"Unable to plan registry", "The registry has to change on hosts h1, h2 (it does not run there yet)", "Nothing has been changed on any host.", `Host "h1"`} {
		if !strings.Contains(said, want) {
			t.Errorf("got %s, want %q in it", said, want)
		}
	}
}

// TestPlan_sameAddress: with the addresses of the provider block, too, no
// replica may be reached in the place of another.
func TestPlan_sameAddress(t *testing.T) {
	fleet := dockerhost.NewFleet()
	fleet.Add(closedAt(t, "h1", "127.0.0.1"))
	fleet.Add(closedAt(t, "h2", "127.0.0.1"))
	for name, c := range map[string]struct {
		h1, h2 object
		want   string
	}{
		"both hosts":    {object{}, object{}, `error ("replicas").("h2"): Duplicate address`},
		"one's replica": {object{}, object{"address": "::ffff:127.0.0.1"}, ""},
		"other ports":   {object{"port": 1}, object{}, ""},
		"port unknown":  {object{"port": unknown{}}, object{}, ""},
		"same again":    {object{"port": 8089}, object{"address": "127.0.0.1"}, `error ("replicas").("h2").("address"): Duplicate address`},
	} {
		t.Run(name, func(t *testing.T) {
			_, said := serve(t, "anka_registry", fleet).Plan(nil, with(registries, object{"replicas": object{"h1": c.h1, "h2": c.h2}}))
			if c.want == "" && strings.Contains(said, "Duplicate") || !strings.HasPrefix(said, c.want) {
				t.Errorf("got %s\nwant %s", said, c.want)
			}
		})
	}
}

// closed is a host on which nothing listens, with an address of its own.
func closed(t *testing.T, name string) *dockerhost.Host {
	t.Helper()
	return closedAt(t, name, "127.0.0."+strings.TrimPrefix(name, "h"))
}

func closedAt(t *testing.T, name, at string) *dockerhost.Host {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	host, err := dockerhost.New(dockerhost.Config{
		Name: name, Address: at, DockerHost: "tcp://" + address, Insecure: true, ConnectTimeout: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return host
}
