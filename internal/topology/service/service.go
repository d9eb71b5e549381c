// Package service is the pure part of what controllers and registries have in
// common: settings, URLs and the environment of their containers. It belongs
// to the layer topology and does no I/O.
package service

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

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
	// Values are the plain settings, without write-only ones, by variable.
	Values Values
	// Given are the variables of the write-only settings that are given.
	Given []string
	// Authenticated: a root token is given, so authentication is on.
	Authenticated bool
	// SecretVersion stands for all secrets in the fingerprint of the
	// container.
	SecretVersion string
	// Restart is Docker's restart policy.
	Restart string
	// Log is the rotation of the container's log.
	Log container.Log
	// Runtime is what the daemon gives the container beside that.
	Runtime container.Runtime
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
	if on, err := strconv.ParseBool(env[UseHTTPS]); err == nil && on {
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

// Inside is what the container of a service has in itself, whatever the host.
type Inside struct {
	// Table has the settings of the service.
	Table Table
	// Port is where it listens.
	Port int
	// Wired are the variables that follow from other attributes.
	Wired map[string]string
	// StopGrace is how long a stop waits for it at least. It waits longer when
	// the service is set to finish its requests for longer.
	StopGrace time.Duration
}

// stopMargin is what a service needs to end after its requests have.
const stopMargin = 5 * time.Second

// stopGrace is how long a stop waits for a service with this environment. To
// kill it before its own limit would break the uploads it still waits for.
func (in Inside) stopGrace(env map[string]string) time.Duration {
	graceful, err := time.ParseDuration(env[GracefulShutdown])
	if err != nil {
		return in.StopGrace
	}
	return max(in.StopGrace, graceful+stopMargin)
}

// Spec begins the container of r: everything but what is the service's own.
// Its first port is that of the service.
// Of a variable that is set in several ways the wired value wins over the
// setting, and that over the user's environment.
func (s Settings) Spec(r Replica, in Inside) container.Spec {
	env := s.environment(in.Table)
	maps.Copy(env, in.Wired)
	env[ListenAddr] = ":" + strconv.Itoa(in.Port)
	return container.Spec{
		Image:         s.Image,
		Env:           env,
		SecretVersion: s.SecretVersion,
		Ports:         append([]container.Port{{HostIP: s.BindIP, HostPort: r.Port, ContainerPort: in.Port}}, in.Table.ports(env, s.BindIP)...),
		Restart:       s.Restart,
		Log:           s.Log,
		Runtime:       s.Runtime,
		StopGrace:     in.stopGrace(env),
	}
}

// environment is the user's, the settings' and that of authentication.
func (s Settings) environment(t Table) map[string]string {
	env := map[string]string{}
	maps.Copy(env, s.Env)
	maps.Copy(env, t.Render(s.Values, s.Given))
	if s.Authenticated {
		env[EnableAuth] = "true"
	}
	return env
}

// Scheme is that of the service's URLs: https when a setting, or what it
// turns on, or the user's environment says so.
func (s Settings) Scheme(t Table) string { return Scheme(s.environment(t)) }

// WithSecrets returns spec with secrets in its environment and files. The
// fingerprint stays the one that spec is labelled with: secrets are versioned
// by the user, and a plan, which must not need them, computes the same
// fingerprint.
func WithSecrets(spec container.Spec, env map[string]string, files ...container.File) container.Spec {
	spec.SecretEnv = maps.Clone(env)
	spec.Files = append(slices.Clone(spec.Files), files...)
	return spec
}

// Join is a list as the services read it: sorted, without repetition, comma
// separated.
func Join(items []string) string {
	sorted := slices.Clone(items)
	slices.Sort(sorted)
	return strings.Join(slices.Compact(sorted), ",")
}
