package controller

import "github.com/anka-ha/terraform-provider-anka/internal/resources/replicas"

// wiring is what the controllers need others for.
func wiring(m *model) replicas.Wiring {
	return replicas.Wiring{
		Skip: m.SkipCompatibilityCheck, EtcdEndpoints: m.EtcdEndpoints,
		RegistryURLs: m.RegistryURLs, RegistryURL: m.RegistryURL,
		PushRegistryURL: m.PushRegistryURL, LocalRegistryURLs: m.LocalRegistryURLs,
	}
}
