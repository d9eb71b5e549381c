// Package settings is part of the lab's stand-in for the Anka controller and
// registry: it turns the documented ANKA_* environment into typed settings.
// It reads nothing but the environment it is given and does no I/O.
package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Environment holds the variables a stand-in was started with, by full name.
type Environment map[string]string

// FromOS keeps the ANKA_* and ANKASIM_* entries of environ, which has the shape
// of os.Environ. Everything else is dropped, so that a report of the
// environment shows only what was set for the stand-in.
func FromOS(environ []string) Environment {
	env := Environment{}
	for _, entry := range environ {
		name, value, found := strings.Cut(entry, "=")
		if found && (strings.HasPrefix(name, ankaPrefix) || strings.HasPrefix(name, simPrefix)) {
			env[name] = value
		}
	}
	return env
}

// Anka returns the ANKA_* part: what the user of the real image would set.
func (e Environment) Anka() map[string]string {
	anka := map[string]string{}
	for name, value := range e {
		if strings.HasPrefix(name, ankaPrefix) {
			anka[name] = value
		}
	}
	return anka
}

const (
	ankaPrefix = "ANKA_"
	simPrefix  = "ANKASIM_"
)

// reader collects every bad value instead of stopping at the first, so that one
// start shows all mistakes. Values never appear in its errors when secret.
type reader struct {
	env      Environment
	rejected map[string]bool
	problems []error
}

func (r *reader) err() error { return errors.Join(r.problems...) }

// reject keeps the first problem of each variable.
func (r *reader) reject(name, format string, args ...any) {
	if r.rejected[name] {
		return
	}
	if r.rejected == nil {
		r.rejected = map[string]bool{}
	}
	r.rejected[name] = true
	r.problems = append(r.problems, fmt.Errorf("%s: "+format, append([]any{name}, args...)...))
}

// text treats an empty value as unset: Docker and Compose pass unset variables
// through as empty strings.
func (r *reader) text(name, fallback string) string {
	if value := r.env[name]; value != "" {
		return value
	}
	return fallback
}

// valid reports whether name is set to a value of that kind.
func (r *reader) valid(name string, of kind) bool {
	value := r.env[name]
	if value == "" {
		return false
	}
	if err := of(value); err != nil {
		r.reject(name, "%w", err)
		return false
	}
	return true
}

func (r *reader) flag(name string) bool { return r.valid(name, flag) && r.env[name] == "true" }

func (r *reader) duration(name string, fallback time.Duration) time.Duration {
	if !r.valid(name, duration) {
		return fallback
	}
	// Cannot fail: it is how the value was checked.
	d, _ := time.ParseDuration(r.env[name])
	return d
}

func (r *reader) number(name string, fallback int) int {
	if !r.valid(name, count) {
		return fallback
	}
	// Cannot fail: it is how the value was checked.
	n, _ := strconv.Atoi(r.env[name])
	return n
}

func (r *reader) list(name string, fallback ...string) []string {
	if r.env[name] == "" {
		return fallback
	}
	return split(r.env[name])
}
