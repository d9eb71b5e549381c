package service_test

import (
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/tf/certificates"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

func TestCheckValue(t *testing.T) {
	kinds := map[string]service.Setting{
		"bool":     {Kind: service.KindBool},
		"int":      {Kind: service.KindInt, Range: &service.Range{Min: 1, Max: 40}},
		"count":    {Kind: service.KindInt, Range: service.NotNegative},
		"port":     {Kind: service.KindInt, Range: &service.Range{Min: 1, Max: 65535}, Taken: []int{80}},
		"float":    {Kind: service.KindFloat, Range: service.NotNegative},
		"text":     {Kind: service.KindText},
		"secret":   {Kind: service.KindText, Secret: true},
		"path":     {Kind: service.KindPath},
		"duration": {Kind: service.KindDuration},
		"ttl":      {Kind: service.KindDuration, Range: &service.Range{Min: 1, Max: 3600}},
		"timeout":  {Kind: service.KindDuration, Range: service.Timeout},
		"interval": {Kind: service.KindDuration, Range: service.Interval},
		"enum":     {Kind: service.KindEnum, Allowed: []string{"tls_1.2", "tls_1.3"}},
		"list":     {Kind: service.KindList},
		"levels":   {Kind: service.KindLevelList, Range: service.NotNegative},
		"suites":   {Kind: service.KindList, Allowed: []string{"tls_aes_128_gcm_sha256", "tls_aes_256_gcm_sha384"}},
		"url":      {Kind: service.KindURL},
		"issuer":   {Kind: service.KindURL, Verbatim: true},
		"urls":     {Kind: service.KindURLList},
		"address":  {Kind: service.KindAddress, Taken: []int{80}},
		"macs":     {Kind: service.KindMACRange},
		"size":     {Kind: service.KindSize, Unit: 1 << 20},
		"bytes":    {Kind: service.KindSize, Unit: 1, Range: &service.Range{Min: 4096, Max: 1 << 30}},
	}
	for _, c := range []struct{ kind, value, want string }{
		{"levels", "upload=5,auth*=0,[ab]?=12", ""},
		{"levels", "upload", `"upload" is not PATTERN=LEVEL`},
		{"levels", "=5", `"=5" is not PATTERN=LEVEL`},
		{"levels", "a=b=5", "is not PATTERN=LEVEL"},
		{"levels", "upload=", `has the level ""`},
		{"levels", "upload=high", `"upload=high" has the level "high", which is not a whole number`},
		{"levels", "upload=5,auth=-1", `"auth=-1" is less than 0`},
		{"levels", "upload=99999999999", "which is not a whole number"},
		{"levels", "up[load=5", "a bracket is not closed"},
		{"levels", "upload=5,", "an element of the list is empty"},
		{"levels", "upload =5", "white space"},
		{"bool", "true", ""},
		{"bool", "yes", "neither true nor false"},
		{"int", "1", ""},
		{"int", "40", ""},
		{"int", "41", `"41" is not between 1 and 40`},
		{"int", "0", "is not between 1 and 40"},
		{"int", "1.5", "is not a whole number"},
		{"count", "-1", "is less than 0"},
		{"port", "8080", ""},
		{"port", "80", "port 80 is where the service itself listens"},
		{"port", "65536", "is not between 1 and 65535"},
		{"float", "0.75", ""},
		{"float", "-0.1", "is less than 0"},
		{"float", "NaN", "is not a number"},
		{"float", "Inf", "is not a number"},
		{"float", "much", "is not a number"},
		{"text", "some text", ""},
		{"text", "a\nb", "contains a line break"},
		{"text", "", "it is empty"},
		{"secret", "canary\n", "line break at the end of a file: use trimspace()"},
		{"secret", "canary\x00canary", "the value contains a line break or another control character"},
		{"secret", "canary", ""},
		{"secret", "5tiny", "it has 5 characters, and has to have at least 6"},
		{"secret", "läßt", "it has 4 characters, and has to have at least 6"},
		{"text", "short", ""},
		{"path", "/var/log", ""},
		{"path", "var/log", "does not begin with a slash"},
		{"path", "/a/../b", `contains ".."`},
		{"path", "/a\nb", "line break"},
		{"duration", "0s", ""},
		{"duration", "1h30m", ""},
		{"duration", "15", `write "15s" for seconds`},
		{"duration", "1.5", "has no unit"},
		{"duration", "-1s", "is negative"},
		{"duration", "soon", `is not a duration such as "15s"`},
		{"duration", "1d", "is not a duration"},
		{"timeout", "100ms", ""},
		{"timeout", "24h", ""},
		{"timeout", "0s", `"0s" is not between 100ms and 24h0m0s`},
		{"timeout", "876000h", "is not between 100ms and 24h0m0s"},
		{"interval", "1s", ""},
		{"interval", "720h", ""},
		{"interval", "1ns", "is not between 1s and 8760h0m0s"},
		{"ttl", "500ms", "is not between 1s and 1h0m0s"},
		{"ttl", "2h", "is not between 1s and 1h0m0s"},
		{"ttl", "1h", ""},
		{"enum", "tls_1.3", ""},
		{"enum", "1.3", "is not allowed. Allowed are tls_1.2, tls_1.3"},
		{"enum", "tls_13", `Did you mean "tls_1.3"?`},
		{"list", "openid,profile", ""},
		{"list", "openid,,profile", "an element of the list is empty"},
		{"list", "openid, profile", "contains white space"},
		{"list", "openid,openid", `"openid" is in the list twice`},
		{"suites", "tls_aes_256_gcm_sha384,tls_aes_128_gcm_sha256", ""},
		{"suites", "TLS_AES_128_GCM_SHA256", `Did you mean "tls_aes_128_gcm_sha256"?`},
		{"url", "https://example.com", ""},
		{"url", "http://10.0.1.4:8089/logs", ""},
		{"url", "http://[fd00::4]:8089", ""},
		{"url", "https://example.com/", "ends with a slash"},
		{"url", "https://example.com/?a=b", "has a query"},
		{"url", "https://example.com#a", "has a fragment"},
		{"url", "https://user:canary@example.com", "contains a user name or password"},
		{"url", "ftp://example.com", "does not begin with http:// or https://"},
		{"url", "example.com:80", "does not begin with http://"},
		{"url", "10.0.1.4", "does not begin with http://"},
		{"url", "https://", "names no host"},
		{"url", "https://:8089", "names no host"},
		{"url", "https://example.com:0", "has the port 0"},
		{"url", "https://example.com:65536", "has the port 65536"},
		{"url", "https://example.com:", "has an empty port"},
		{"url", "https://exa mple.com", "is not a URL"},
		{"url", "https://canary:pa%ss@example.com", "is not a URL"},
		{"issuer", "https://tenant.example.com/", ""},
		{"issuer", "https://example.com/events?source=anka", ""},
		{"issuer", "tenant.example.com", "does not begin with"},
		{"urls", "https://a.example.com,https://b.example.com", ""},
		{"urls", "https://a.example.com,b.example.com", "does not begin with"},
		{"address", ":8090", ""},
		{"address", "0.0.0.0:8090", ""},
		{"address", "[::]:8090", ""},
		{"address", "8090", "is not an address to listen on"},
		{"address", "host:8090", "there has to be an IP address"},
		{"address", "fd00::4:8090", "in brackets when it is IPv6"},
		{"address", ":0", "port has to be between 1 and 65535"},
		{"address", ":65536", "port has to be between 1 and 65535"},
		{"address", ":", "port has to be between 1 and 65535"},
		{"address", "10.0.1.4:80", "port 80 is where the service itself listens"},
		{"macs", "02:00:00:00:00:00-02:00:00:00:ff:FF", ""},
		{"macs", "02:00:00:00:00:01-02:00:00:00:00:01", ""},
		{"macs", "02:00:00:00:00:02-02:00:00:00:00:01", "is empty"},
		{"macs", "03:00:00:00:00:00-03:00:00:00:00:01", "multicast"},
		{"macs", "00:00:00:00:00:00-02:00:00:00:00:01", "multicast"},
		{"macs", "02:00:00:00:00:00", "separated by a hyphen"},
		{"macs", "02-00-00-00-00-00-02-00-00-00-00-01", "with colons"},
		{"macs", "02:00:00:00:00-02:00:00:00:00:01", "six pairs"},
		{"macs", "02:00:00:00:00:0g-02:00:00:00:00:01", "hexadecimal"},
		{"macs", "02:00:00:00:00:0-02:00:00:00:00:01", "hexadecimal"},
		{"size", "700MB", ""},
		{"size", "0MB", ""},
		{"size", "2048KB", ""},
		{"size", "700", "is not a size"},
		{"size", "700mb", "is not a size"},
		{"size", "-1MB", "is not a size"},
		{"size", "1.5GB", "is not a size"},
		{"size", "9999999999TB", "is not a size"},
		{"size", "1KB", "is not a multiple of 1MB"},
		{"bytes", "4KB", ""},
		{"bytes", "1B", "is not between 4KB and 1GB"},
		{"bytes", "2GB", "is not between 4KB and 1GB"},
	} {
		row, exists := kinds[c.kind]
		if !exists {
			t.Fatalf("no kind %s", c.kind)
		}
		err := row.CheckValue(c.value, certificates.Reader{})
		expect(t, c.kind+" "+c.value, err, c.want)
		if err != nil && (strings.Contains(err.Error(), "canary") || row.Secret && strings.Contains(err.Error(), c.value)) {
			t.Errorf("%s: the error shows a secret: %v", c.kind, err)
		}
		if err := row.CheckValue(service.Unknown, certificates.Reader{}); err != nil {
			t.Errorf("%s: what is not known yet was refused: %v", c.kind, err)
		}
	}
}

func TestCheckElement(t *testing.T) {
	list := service.Setting{Kind: service.KindList}
	expect(t, "plain", list.CheckElement("openid"), "")
	expect(t, "comma", list.CheckElement("openid,profile"), "contains a comma")
	expect(t, "empty", list.CheckElement(""), "is empty")
}
