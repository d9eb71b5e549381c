// Package topology holds the acceptance tests of the whole topology: etcd,
// registries, controllers and the status data source together, run by
// terraform with the provider as a process of its own. It belongs to the lab.
package topology
