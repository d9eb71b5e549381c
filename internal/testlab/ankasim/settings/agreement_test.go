package settings_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// TestProvidersTables compares two readings of one reference: whatever a row of
// the provider's tables allows, the stand-in takes as a value of the variable,
// as the provider renders it.
func TestProvidersTables(t *testing.T) {
	for role, test := range map[string]struct {
		table service.Table
		read  func(settings.Environment) (settings.Server, error)
	}{
		"controller": {controller.Table, func(e settings.Environment) (settings.Server, error) {
			c, err := settings.ReadController(e)
			return c.Server, err
		}},
		"registry": {registry.Table, func(e settings.Environment) (settings.Server, error) {
			g, err := settings.ReadRegistry(e)
			return g.Server, err
		}},
	} {
		for _, row := range test.table {
			values := allowed(row)
			if len(values) == 0 {
				values = []string{"/etc/anka/x.pem"} // secrets and files take any text
			}
			for _, value := range values {
				env := settings.Environment{"ANKA_ALLOW_EMPTY_REGISTRY": "true"}
				maps.Copy(env, service.Table{row}.Render(service.Values{row.Env: value}, nil))
				if row.WriteOnly() {
					env[row.Env] = value
				}
				if env[row.Env] == "" {
					t.Errorf("%s: %s=%s is not rendered", role, row.Env, value)
				}
				server, err := test.read(env)
				for _, name := range server.Unknown {
					if name != "ANKA_ALLOW_EMPTY_REGISTRY" {
						t.Errorf("%s: the reference has no %s", role, name)
					}
				}
				// A row alone may lack what it goes together with.
				if err != nil && strings.Contains(err.Error(), row.Env+": ") && !lacks.MatchString(err.Error()) {
					t.Errorf("%s: %s=%s: %v", role, row.Env, env[row.Env], err)
				}
			}
		}
	}
}

var lacks = regexp.MustCompile(`: (requires?|required with|needs) `)

// older are values that references before 1.42.0 had and those since have not.
var older = []string{
	"tls_rsa_with_aes_128_gcm_sha256", "tls_rsa_with_aes_256_gcm_sha384",
	"tls_rsa_with_aes_128_cbc_sha", "tls_rsa_with_aes_256_cbc_sha", "azure",
}

// allowed returns the ends of what row takes, of any text none.
func allowed(row service.Setting) []string {
	known := slices.DeleteFunc(slices.Clone(row.Allowed), func(value string) bool { return slices.Contains(older, value) })
	switch row.Kind {
	case service.KindBool:
		return []string{"true", "false"}
	case service.KindEnum:
		return known
	case service.KindList:
		if len(known) == 0 {
			return []string{"openid,profile"}
		}
		return []string{strings.Join(known, ",")}
	case service.KindLevelList:
		return []string{"upload=5,auth=2"}
	case service.KindInt, service.KindFloat:
		ends := []string{row.Default}
		if row.Default == "" {
			ends = []string{"1"}
		}
		if r := row.Range; r != nil {
			ends = append(ends, strconv.FormatFloat(r.Min, 'f', -1, 64))
			if r.Max < 1<<31 {
				ends = append(ends, strconv.FormatFloat(r.Max, 'f', -1, 64))
			}
		}
		return ends
	case service.KindDuration:
		if r := row.Range; r != nil {
			return []string{strconv.FormatFloat(r.Min, 'f', -1, 64) + "s", row.Default, strconv.FormatFloat(r.Max, 'f', -1, 64) + "s"}
		}
		return []string{"0s", "90s", "720h"}
	case service.KindSize:
		if row.Range != nil {
			return []string{fmt.Sprintf("%dB", int64(row.Range.Min)), fmt.Sprintf("%dB", int64(row.Range.Max))}
		}
		return []string{"1GB"}
	case service.KindURL, service.KindURLList:
		return []string{"https://10.0.1.4:8089"}
	case service.KindAddress:
		return []string{":8100", "10.0.1.4:8100"}
	case service.KindMACRange:
		return []string{"02:00:00:00:00:00-02:00:00:00:ff:ff"}
	case service.KindPath:
		return []string{"/var/log/anka"}
	default:
		return nil
	}
}
