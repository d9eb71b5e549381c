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

// shortestMasked is the length of the shortest line of a private key that is
// worth masking: shorter ones are in many texts.
const shortestMasked = 16

// Masked are the texts that must be in no log or message: secrets, and the
// lines of private keys, as a service that prints a key prints it by lines.
func (t Table) Masked(values Values) []string {
	var masked []string
	for _, s := range t {
		value, is := values[s.Env]
		switch {
		case !is || value == Unknown || value == "":
		case s.Secret:
			masked = append(masked, value)
		case s.Kind == KindPrivateKey:
			for line := range strings.Lines(value) {
				if line = strings.TrimSpace(line); len(line) >= shortestMasked && !strings.HasPrefix(line, "-----") {
					masked = append(masked, line)
				}
			}
		}
	}
	return masked
}
