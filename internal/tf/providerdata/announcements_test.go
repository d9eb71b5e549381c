package providerdata_test

import (
	"sync"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
)

// TestAnnouncements_theLastCounts: Terraform plans a resource more than once,
// and several at the same time.
func TestAnnouncements_theLastCounts(t *testing.T) {
	var a providerdata.Announcements
	var wg sync.WaitGroup
	for _, component := range []compat.Component{compat.Registry, compat.Etcd} {
		for _, owner := range []string{"blue", "green"} {
			wg.Go(func() {
				for _, url := range []string{"http://10.0.1.4", "http://10.0.1.5"} {
					a.Announce(component, owner, []compat.Planned{{Component: component, Owner: owner, URL: url}})
				}
			})
		}
	}
	wg.Wait()
	all := a.All()
	for _, p := range all {
		if p.URL != "http://10.0.1.5" {
			t.Errorf("%+v is out of date", p)
		}
	}
	if len(all) != 4 {
		t.Errorf("got %+v", all)
	}
	a.Announce(compat.Etcd, "blue", nil)
	if len(all) != 4 || all[0].URL == "" || len(a.All()) != 3 {
		t.Errorf("got %+v, then %+v", all, a.All())
	}
}
