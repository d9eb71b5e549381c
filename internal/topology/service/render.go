package service

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// fileDirectory is where files are inside the container.
const fileDirectory = "/etc/anka/"

// FilePath is where the value of a row with PEM text is inside the container:
// /etc/anka/server_cert.pem.
func FilePath(s Setting) string {
	return fileDirectory + strings.ToLower(strings.TrimPrefix(s.Env, Prefix)) + ".pem"
}

// Render is the plain environment that the settings ask for: the values in
// plain, as the service reads them, the paths of files, and the switches that
// are turned on by what is given. Values that mean the same render the same, so
// that writing 60s as 1m changes no container. The variables in given are those
// of write-only rows whose version is set; their values are not needed.
func (t Table) Render(plain Values, given []string) map[string]string {
	env := map[string]string{}
	for _, s := range t {
		value, is := plain[s.Env]
		switch {
		case s.WriteOnly() && s.Kind.PEM() && slices.Contains(given, s.Env):
			env[s.Env] = FilePath(s)
		case is && !s.WriteOnly() && value != Unknown:
			env[s.Env] = s.render(value)
		}
	}
	for _, s := range t {
		_, is := plain[s.Env]
		if is = is && !s.WriteOnly() || slices.Contains(given, s.Env); is && s.Turns != "" && env[s.Turns] == "" {
			env[s.Turns] = "true"
		}
	}
	return env
}

// render is a value as the service reads it. One that is wrong stays as it is;
// it was refused by Check.
func (s Setting) render(value string) string {
	switch s.Kind {
	case KindDuration:
		if d, err := time.ParseDuration(value); err == nil {
			return d.String()
		}
	case KindSize:
		if bytes, ok := parseSize(value); ok && s.Unit > 0 {
			return strconv.FormatInt(bytes/s.Unit, 10)
		}
	}
	return value
}

// Secrets are the write-only values as the container gets them: in its
// environment, or as files that only its root reads.
func (t Table) Secrets(values Values) (env map[string]string, files []container.File) {
	env = map[string]string{}
	for _, s := range t {
		value, is := values[s.Env]
		switch {
		case !is || value == Unknown || !s.WriteOnly():
		case s.Kind.PEM():
			files = append(files, container.File{Path: FilePath(s), Content: []byte(value), Mode: 0o600, Secret: true})
		default:
			env[s.Env] = value
		}
	}
	return env, files
}
