package replicas

import (
	"net/url"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/providerdata"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
)

// place is where a controller looks for another component, and the key of the
// host from which it does.
type place struct {
	compat.Place
	via string
}

// registries are where the controllers look for registries. A URL that is not
// known yet is told by name and host.
func (w Wiring) registries(m *Model) []place {
	hosts := m.Hosts()
	if len(hosts) == 0 {
		return nil
	}
	var places []place
	add := func(via, host string, value attr.Value) {
		if text, is := value.(types.String); is && !text.IsNull() {
			places = append(places, place{compat.Place{URL: text.ValueString(), Owner: m.Name.ValueString(), Host: host}, via})
		}
	}
	for _, host := range hosts {
		if w.RegistryURLs.IsUnknown() {
			add(host, host, types.StringUnknown())
			continue
		}
		add(host, host, w.RegistryURLs.Elements()[host])
	}
	// A single one may be anywhere, and is the same for all.
	add(hosts[0], "", w.RegistryURL)
	add(hosts[0], "", w.PushRegistryURL)
	return places
}

// members are where the controllers look for etcd. Endpoints that are not known
// yet are told by name.
func (w Wiring) members(m *Model, data *providerdata.Data) []place {
	hosts := m.Hosts()
	if len(hosts) == 0 {
		return nil
	}
	unknown := place{compat.Place{Owner: m.Name.ValueString()}, hosts[0]}
	if w.EtcdEndpoints.IsUnknown() {
		return []place{unknown}
	}
	var places []place
	for _, element := range w.EtcdEndpoints.Elements() {
		at := unknown
		if text, is := element.(types.String); is && !text.IsUnknown() {
			at.URL = text.ValueString()
			at.via = nearest(at.URL, hosts, data)
		}
		places = append(places, at)
	}
	return places
}

// nearest is the host that a member runs on, if it is one with a controller,
// and else the first, which can reach it as well.
func nearest(endpoint string, hosts []string, data *providerdata.Data) string {
	parsed, err := url.Parse(endpoint)
	if err != nil {
		return hosts[0]
	}
	at := slices.IndexFunc(hosts, func(name string) bool {
		host, err := data.Hosts.Host(name)
		return err == nil && normal(host.Address()) == normal(parsed.Hostname())
	})
	return hosts[max(at, 0)]
}

// locals are the local registry URLs that are known.
func (w Wiring) locals(m *Model) []compat.Local {
	var locals []compat.Local
	urls := Strings(w.LocalRegistryURLs)
	for _, host := range m.Hosts() {
		if urls[host] != "" {
			locals = append(locals, compat.Local{URL: urls[host], Attribute: "local_registry_urls", Key: host})
		}
	}
	return locals
}
