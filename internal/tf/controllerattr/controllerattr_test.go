package controllerattr

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
)

// TestFailure_credentialsNotKnownYet: a refusal for want of credentials that
// the same apply makes is not cured by other credentials.
func TestFailure_credentialsNotKnownYet(t *testing.T) {
	refused := &ankaapi.Error{Kind: ankaapi.Unauthorized, URL: "http://10.0.1.4", Detail: "refused"}
	for name, c := range map[string]struct {
		err       error
		unsettled bool
		want      bool
	}{
		"not known yet":       {refused, true, true},
		"known":               {refused, false, false},
		"no matter of access": {&ankaapi.Error{Kind: ankaapi.Timeout}, true, false},
	} {
		if got := strings.Contains(Failure(c.err, c.unsettled).Detail(), "Add depends_on"); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
