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
	problems []error
}

func (r *reader) err() error { return errors.Join(r.problems...) }

func (r *reader) reject(name, format string, args ...any) {
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

func (r *reader) flag(name string) bool {
	switch value := r.env[name]; value {
	case "", "false":
		return false
	case "true":
		return true
	default:
		r.reject(name, "%q is neither true nor false", value)
		return false
	}
}

func (r *reader) duration(name string, fallback time.Duration) time.Duration {
	value := r.env[name]
	if value == "" {
		return fallback
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		r.reject(name, "%q is not a duration such as 15s: %w", value, err)
		return fallback
	}
	if d < 0 {
		r.reject(name, "%q is negative", value)
		return fallback
	}
	return d
}

func (r *reader) number(name string, fallback int) int {
	value := r.env[name]
	if value == "" {
		return fallback
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		r.reject(name, "%q is not a whole number", value)
		return fallback
	}
	return n
}

func (r *reader) list(name string, fallback ...string) []string {
	value := r.env[name]
	if value == "" {
		return fallback
	}
	var items []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func (r *reader) oneOf(name, fallback string, allowed ...string) string {
	value := r.text(name, fallback)
	for _, candidate := range allowed {
		if value == candidate {
			return value
		}
	}
	r.reject(name, "%q is not one of %s", value, strings.Join(allowed, ", "))
	return fallback
}
