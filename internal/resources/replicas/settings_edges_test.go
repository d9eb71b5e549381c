package replicas_test

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/protocol"
)

// TestSettings_whatIsNotKnownYetMayBeAnything, and what is not given is not
// there.
func TestSettings_whatIsNotKnownYetMayBeAnything(t *testing.T) {
	base := minimal("anka_controller", "h1")
	for name, c := range map[string]struct {
		more object
		want []string // parts of the text; nothing is said without any
	}{
		"a group, and its variable in env": {object{"monitoring": unknown{}, "env": object{"ANKA_ENABLE_METRICS": "true"}}, nil},
		"the version of nothing":           {object{"https": object{"server_cert_wo_version": unknown{}}}, nil},
		"the secret environment":           {object{"https": object{"enabled": true}, "env_wo": unknown{}, "env_wo_version": 1}, nil},
		"the environment":                  {object{"https": object{"enabled": true}, "env": unknown{}}, nil},
		"neither environment":              {object{"https": object{"enabled": true}}, []string{"it needs https.server_cert_wo"}},
		// It is refused there, so it is no token.
		"a root token in env": {
			object{"authentication": object{"enabled": true}, "env": object{"ANKA_ROOT_TOKEN": "canary-canary"}},
			[]string{"ANKA_ROOT_TOKEN follows from root_token_wo", "it needs root_token_wo"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			said := serve(t, "anka_controller", dockerhost.NewFleet()).Validate(with(base, c.more))
			if len(c.want) == 0 && said != "" {
				t.Errorf("got %s", said)
			}
			for _, part := range c.want {
				if !strings.Contains(said, part) {
					t.Errorf("%q is not in %s", part, said)
				}
			}
		})
	}
}

// TestSettings_anUpdateChecksWhatIsKnownByThen: the plan could not, and nothing
// has been touched.
func TestSettings_anUpdateChecksWhatIsKnownByThen(t *testing.T) {
	s, state, config, daemon := controllersOn1(t, object{})
	planned, _ := s.Plan(state, with(config, object{"logging": object{"verbosity": 3}}))
	wrong := with(config, object{"logging": object{"verbosity": 99}})
	before := daemon.container("anka-anka-controller-h1")
	_, told := s.Apply(state, planned, wrong)
	if !strings.Contains(told, `error ("logging").("verbosity"): Invalid setting`) || daemon.container("anka-anka-controller-h1") != before {
		t.Errorf("got %s", told)
	}
}

// TestSettings_noTokenIsNoVariable: an empty one would turn authentication on
// with a token that everybody knows.
func TestSettings_noTokenIsNoVariable(t *testing.T) {
	_, _, _, daemon := controllersOn1(t, object{})
	if value, is := daemon.container("anka-anka-controller-h1").environment()["ANKA_ROOT_TOKEN"]; is {
		t.Errorf("the root token is %q", value)
	}
}

// TestSettings_versionsReplaceContainers: the version is all that a plan sees
// of a secret.
func TestSettings_versionsReplaceContainers(t *testing.T) {
	for version, given := range map[string]object{
		"env_wo_version":        {"env_wo": object{"TOKEN": "canary-canary"}},
		"root_token_wo_version": {"root_token_wo": "canary-canary"},
	} {
		s, state, config, _ := controllersOn1(t, with(given, object{version: 1}))
		if _, said := s.Plan(state, config); strings.Contains(said, "replace") {
			t.Errorf("%s is the same: %s", version, said)
		}
		if _, said := s.Plan(state, with(config, object{version: 2})); !strings.Contains(said, "replace controller on h1") {
			t.Errorf("%s has changed: %s", version, said)
		}
	}
}

// controllersOn1 are controllers on h1 that were made with further attributes and do
// not answer.
func controllersOn1(t *testing.T, more object) (s *protocol.Server, state, config object, daemon *recorder) {
	t.Helper()
	fleet := dockerhost.NewFleet()
	daemon = record(t, fleet, "h1")
	s = serve(t, "anka_controller", fleet)
	config = connected(with(more, object{"registry_urls": object{"h1": "http://127.0.0.1:1"}, "port": 2}))
	planned, _ := s.Plan(nil, config)
	if _, told := s.Apply(nil, planned, config); refusals(told) != "" {
		t.Fatal(told)
	}
	return s, with(made1501(config, "http://127.0.0.1:2"), object{"ready": false}), config, daemon
}
