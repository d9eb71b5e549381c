package statusops

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/compat"
)

// RegistryQuestion is which registries to ask for their version and how they
// treat the controllers' root token.
type RegistryQuestion struct {
	// Via is, by URL of the registry, the key of the host to go through: the
	// one whose controller uses the registry. Registries on hosts that are not
	// known yet, or not at all, give no answer.
	Via map[string]string
	// Fleet has the hosts.
	Fleet *dockerhost.Fleet
	// Token is what is known of the controllers' root token, and Secret the
	// token, "" when it is absent or not known.
	Token  compat.Token
	Secret string
	// Credentials verify servers, and are shown to those that want some and do
	// not take the token, to learn at least their version.
	Credentials ankaapi.Credentials
	// Timeout of each of the at most three requests to a registry; 0 means
	// [DefaultTimeout].
	Timeout time.Duration
}

// RegistryAnswer is what a registry showed of itself. The zero value is no
// answer.
type RegistryAnswer struct {
	// Version as it tells it, such as 1.50.1-5e3c3f5b; "" when it told none.
	Version string
	Door    compat.Door
}

// AskRegistries asks all at the same time. Registries that do not answer are
// not in the result: nothing is said of what is not known.
func AskRegistries(ctx context.Context, q RegistryQuestion) map[string]RegistryAnswer {
	if q.Timeout <= 0 {
		q.Timeout = DefaultTimeout
	}
	var mu sync.Mutex
	answers := map[string]RegistryAnswer{}
	urls := slices.Collect(maps.Keys(q.Via))
	_ = survey.Each(ctx, urls, func(ctx context.Context, url string) error { // an error is no answer
		if answer := q.ask(ctx, url); answer != (RegistryAnswer{}) {
			mu.Lock()
			defer mu.Unlock()
			answers[url] = answer
		}
		return nil
	})
	return answers
}

// ask tries the door without credentials first: only that tells whether the
// registry wants any.
func (q RegistryQuestion) ask(ctx context.Context, url string) RegistryAnswer {
	status, err := q.status(ctx, url, ankaapi.Credentials{CA: q.Credentials.CA})
	switch {
	case err == nil:
		return RegistryAnswer{Version: status.Version, Door: compat.Unguarded}
	case !ankaapi.Is(err, ankaapi.Unauthorized):
		return RegistryAnswer{}
	}
	var answer RegistryAnswer
	if q.Token == compat.TokenAbsent {
		answer.Door = compat.Refuses
	}
	if q.Secret != "" {
		status, err = q.status(ctx, url, ankaapi.Credentials{CA: q.Credentials.CA, RootToken: q.Secret})
		switch {
		case err == nil:
			return RegistryAnswer{Version: status.Version, Door: compat.Admits}
		case ankaapi.Is(err, ankaapi.Unauthorized):
			answer.Door = compat.Refuses
		}
	}
	if status, err = q.status(ctx, url, q.Credentials); err == nil {
		answer.Version = status.Version
	}
	return answer
}

func (q RegistryQuestion) status(ctx context.Context, url string, with ankaapi.Credentials) (ankaapi.RegistryStatus, error) {
	host, err := q.Fleet.Host(q.Via[url])
	if err != nil {
		return ankaapi.RegistryStatus{}, err
	}
	client, err := ankaapi.New(ankaapi.Config{URL: url, Dial: host.DialService, Credentials: with, Timeout: q.Timeout})
	if err != nil {
		return ankaapi.RegistryStatus{}, err
	}
	defer client.Close()
	return client.RegistryStatus(ctx)
}

// errCertificates is about members that are asked by TLS.
var errCertificates = errors.New("an etcd with TLS cannot be asked without its certificates")

// EtcdVersions asks all members for the version they run, all at the same
// time, by their URL. Members that do not answer are not in the result, and
// neither are those with TLS, whose certificates nobody gives.
func EtcdVersions(ctx context.Context, q EtcdQuestion) map[string]string {
	if q.Timeout <= 0 {
		q.Timeout = DefaultTimeout
	}
	var mu sync.Mutex
	versions := map[string]string{}
	names := slices.Collect(maps.Keys(q.Members))
	_ = survey.Each(ctx, names, func(ctx context.Context, name string) error { // an error is no answer
		ctx, cancel := context.WithTimeout(ctx, q.Timeout)
		defer cancel()
		version, err := q.version(ctx, q.Members[name])
		if err != nil || version == "" {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		versions[q.Members[name].URL] = version
		return nil
	})
	return versions
}

// version is "" for a member on a host that is not known yet.
func (q EtcdQuestion) version(ctx context.Context, m EtcdMember) (string, error) {
	client, err := q.client(m)
	if err != nil || client == nil {
		return "", err
	}
	defer client.Close()
	// The client dials again until the time is over. Where nothing listens, and
	// where certificates are wanted, nobody shall have to wait for that.
	if err := q.listens(ctx, m); err != nil {
		return "", err
	}
	status, err := client.Status(ctx)
	return status.Version, err
}

func (q EtcdQuestion) listens(ctx context.Context, m EtcdMember) error {
	parsed, err := url.Parse(m.URL)
	if err != nil {
		return err
	}
	if parsed.Scheme != "http" {
		return errCertificates
	}
	dial := (&net.Dialer{}).DialContext
	if m.Host != "" {
		host, err := q.Fleet.Host(m.Host)
		if err != nil {
			return err
		}
		dial = host.DialService
	}
	conn, err := dial(ctx, "tcp", parsed.Host)
	if err != nil {
		return err
	}
	return conn.Close()
}
