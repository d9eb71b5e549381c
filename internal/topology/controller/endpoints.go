package controller

import (
	"fmt"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// CheckEndpoints finds that TLS with etcd is asked for while endpoints begin
// with http://: etcd's client goes by that and would send everything, the
// password as well, in the clear (package clientv3, credentials by scheme).
// Endpoints that are not known yet are not among them.
func CheckEndpoints(values service.Values, endpoints []string) []service.Problem {
	plain := ""
	for _, endpoint := range endpoints {
		if strings.HasPrefix(endpoint, "http://") {
			plain = endpoint
			break
		}
	}
	if plain == "" || values[useEtcdTLS] == "false" {
		return nil
	}
	for _, s := range Table.InGroup("etcd_client") {
		value, given := values[s.Env]
		on := s.Env == useEtcdTLS && value == "true" || s.Turns == useEtcdTLS
		if given && on {
			return []service.Problem{{Setting: s, Err: fmt.Errorf("it asks for TLS, and the etcd endpoint %s begins with http://, with which nothing is encrypted: "+
				"use https:// in etcd_endpoints, or remove %s", plain, s.Path())}}
		}
	}
	return nil
}
