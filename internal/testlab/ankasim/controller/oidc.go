package controller

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/glog"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

// identityProvider lets users of an OpenID Connect provider in. The real one
// does so for its web interface, with a session after the code flow; here the
// ID token that ends the flow is itself the bearer token of the API.
type identityProvider struct {
	settings settings.OIDC
	log      *glog.Logger
	http     *http.Client
	now      func() time.Time

	mu         sync.Mutex
	discovered *oidc.Provider
}

func newIdentityProvider(s settings.Controller, log *glog.Logger, now func() time.Time) *identityProvider {
	return &identityProvider{settings: s.OIDC, log: log, now: now, http: outbound(s)}
}

// outbound is how a controller reaches other services: it trusts the system's
// authorities only, or anything with ANKA_SKIP_TLS_VERIFICATION. ANKA_CA_CERT
// is documented for what comes in, not for what goes out.
func outbound(s settings.Controller) *http.Client {
	return &http.Client{Timeout: s.RequestTimeout, Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: s.DialTimeout}).DialContext,
		MaxIdleConnsPerHost: 2,
		TLSHandshakeTimeout: s.TLSHandshakeTimeout,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: s.SkipTLSVerification},
	}}
}

// bearer accepts an ID token of the provider for this client, which names its
// user and the user's groups.
func (p *identityProvider) bearer(r *http.Request) bool {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found || strings.Count(token, ".") != 2 {
		return false
	}
	user, groups, err := p.identify(oidc.ClientContext(r.Context(), p.http), token)
	if err != nil {
		p.log.Warningf("OpenID Connect login refused: %v", err)
		return false
	}
	p.log.Infof("OpenID Connect login of %q, groups %q", user, groups)
	return true
}

func (p *identityProvider) identify(ctx context.Context, token string) (user string, groups []string, err error) {
	provider, err := p.discover(ctx)
	if err != nil {
		return "", nil, err
	}
	verified, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: p.settings.ClientID, Now: p.now}).Verify(ctx, token)
	if err != nil {
		return "", nil, err
	}
	claims := map[string]json.RawMessage{}
	if p.settings.UserInfo {
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}))
		if err != nil {
			return "", nil, err
		}
		if info.Subject != verified.Subject {
			return "", nil, errors.New("the user info is about another subject than the token")
		}
		err = info.Claims(&claims)
		if err != nil {
			return "", nil, err
		}
	} else if err := verified.Claims(&claims); err != nil {
		return "", nil, err
	}
	if err := json.Unmarshal(claims[p.settings.UsernameClaim], &user); err != nil || user == "" {
		return "", nil, fmt.Errorf("claim %q (ANKA_OIDC_USERNAME_CLAIM) is missing or no text", p.settings.UsernameClaim)
	}
	if err := json.Unmarshal(claims[p.settings.GroupsClaim], &groups); err != nil {
		return "", nil, fmt.Errorf("claim %q (ANKA_OIDC_GROUPS_CLAIM) is missing or no array of strings", p.settings.GroupsClaim)
	}
	return user, groups, nil
}

// discover asks the provider once, at the first login, so that neither the
// start nor the readiness of a controller depends on it.
func (p *identityProvider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.discovered != nil {
		return p.discovered, nil
	}
	provider, err := oidc.NewProvider(ctx, p.settings.ProviderURL)
	if err != nil {
		return nil, fmt.Errorf("provider %s (ANKA_OIDC_PROVIDER_URL) cannot be used: %w", p.settings.ProviderURL, err)
	}
	p.discovered = provider
	return provider, nil
}
