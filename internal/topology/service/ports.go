package service

import (
	"strconv"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// port is the port that the service listens on with this value.
func (s Setting) port(value string) (int, bool) {
	if s.Kind == KindAddress {
		port, err := listenPort(value)
		return port, err == nil
	}
	port, err := strconv.Atoi(value)
	return port, err == nil
}

// listens is the port on which this setting makes a service with the variables
// in set listen, beside its own; ok is false when it does not.
func (s Setting) listens(set map[string]string) (port int, ok bool) {
	if s.Taken == nil {
		return 0, false
	}
	for _, needed := range s.Needs {
		if set[needed] != "true" {
			return 0, false
		}
	}
	value := set[s.Env]
	if value == "" {
		value = s.Default
	}
	return s.port(value)
}

// ports are those that a service with this environment listens on beside its
// own, published under the same number on the host.
func (t Table) ports(env map[string]string, hostIP string) []container.Port {
	var ports []container.Port
	for _, s := range t {
		if port, listens := s.listens(env); listens {
			ports = append(ports, container.Port{HostIP: hostIP, HostPort: port, ContainerPort: port})
		}
	}
	return ports
}

// PortAttributes are the settings that make a service with this environment
// listen on further ports, such as monitoring.port, by the port.
func (t Table) PortAttributes(env map[string]string) map[int]string {
	attributes := map[int]string{}
	for _, s := range t {
		if port, listens := s.listens(env); listens {
			attributes[port] = s.Path()
		}
	}
	return attributes
}
