// Package service is the pure part of what controllers and registries have in
// common: settings, URLs and the environment of their containers. It belongs
// to the layer topology and does no I/O.
package service

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// Names of variables that the provider itself sets or reads in both services.
const (
	ListenAddr = "ANKA_LISTEN_ADDR"
	EnableAuth = "ANKA_ENABLE_AUTH"
	RootToken  = "ANKA_ROOT_TOKEN"
	UseHTTPS   = "ANKA_USE_HTTPS"
)

// Settings are what the configuration says of a service on all its hosts.
type Settings struct {
	// Owner is the name of the resource.
	Owner string
	// Image is the reference as written.
	Image string
	// BindIP is the address of the hosts that ports are published on, "" for
	// all.
	BindIP string
	// Env is the user's plain environment. It never contains a wired name.
	Env map[string]string
	// Authenticated: a root token is given, so authentication is on.
	Authenticated bool
	// SecretVersion stands for all secrets in the fingerprint of the
	// container.
	SecretVersion string
	// Restart is Docker's restart policy.
	Restart string
	// Log is the rotation of the container's log.
	Log container.Log
}

// Replica is a service on one host.
type Replica struct {
	// Host is the key in the provider block.
	Host string
	// Address is the IP or DNS name under which clients reach it.
	Address string
	// Port is the published TCP port.
	Port int
}

// Scheme is https when the environment turns it on, otherwise http.
func Scheme(env map[string]string) string {
	if env[UseHTTPS] == "true" {
		return "https"
	}
	return "http"
}

// URL is the address of a service without a trailing slash. The scheme's own
// port is left out, as people write it: http://10.0.1.4.
func URL(scheme, address string, port int) string {
	host := address
	if strings.Contains(address, ":") { // only an IPv6 address can
		host = "[" + address + "]"
	}
	if (scheme == "http" && port == 80) || (scheme == "https" && port == 443) {
		return scheme + "://" + host
	}
	return scheme + "://" + host + ":" + strconv.Itoa(port)
}

// Spec begins the container of r: everything but what is the service's own.
// The wired variables are added to the environment and win over it.
func (s Settings) Spec(r Replica, containerPort int, wired map[string]string) container.Spec {
	env := maps.Clone(s.Env)
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, wired)
	env[ListenAddr] = ":" + strconv.Itoa(containerPort)
	if s.Authenticated {
		env[EnableAuth] = "true"
	}
	return container.Spec{
		Image:         s.Image,
		Env:           env,
		SecretVersion: s.SecretVersion,
		Ports:         []container.Port{{HostIP: s.BindIP, HostPort: r.Port, ContainerPort: containerPort}},
		Restart:       s.Restart,
		Log:           s.Log,
	}
}

// WithSecrets returns spec with secrets in its environment. The fingerprint
// stays the one that spec is labelled with: secrets are versioned by the user,
// and a plan, which must not need them, computes the same fingerprint.
func WithSecrets(spec container.Spec, secrets map[string]string) container.Spec {
	spec.SecretEnv = maps.Clone(secrets)
	return spec
}

// Join is a list as the services read it: sorted, without repetition, comma
// separated.
func Join(items []string) string {
	sorted := slices.Clone(items)
	slices.Sort(sorted)
	return strings.Join(slices.Compact(sorted), ",")
}
