package testlab

import (
	"net/netip"
	"strings"
	"testing"
)

func TestOptions_refusesWhatCannotWork(t *testing.T) {
	for _, row := range []struct {
		options Options
		says    string
	}{
		{Options{Name: "Upper"}, "lab name"},
		{Options{Name: "../etc"}, "lab name"},
		{Options{Name: strings.Repeat("a", 21)}, "lab name"},
		{Options{Hosts: 10}, "10 hosts: want 1 to 9"},
		{Options{Hosts: -1}, "-1 hosts"},
		{Options{Subnet: "10.77.0.0/16"}, "want an IPv4 /24"},
		{Options{Subnet: "10.77.0.1/24"}, "want an IPv4 /24"},
		{Options{Subnet: "fd00::/24"}, "want an IPv4 /24"},
		{Options{DiskMiB: 10}, "disk of 10 MiB"},
	} {
		if _, err := row.options.withDefaults(); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%+v: got %v, want an error with %q", row.options, err, row.says)
		}
	}
	got, err := Options{}.withDefaults()
	if err != nil || got.Name != "lab" || got.Hosts != 3 || len(got.Images) != 4 {
		t.Errorf("defaults are %+v, %v", got, err)
	}
	if got, _ := (Options{Images: []string{}}).withDefaults(); len(got.Images) != 0 {
		t.Errorf("an empty list of images became %v", got.Images)
	}
}

func TestNames_stayWithinTheKernelsLimits(t *testing.T) {
	long := strings.Repeat("a", 20)
	if link := linkOf(long); len(link) > 15 {
		t.Errorf("interface name %q has %d bytes, the kernel takes 15", link, len(link))
	}
	host := Host{Name: "h9", lab: &Lab{Name: long}}
	if path := host.DockerSocket(); len(path) > 107 {
		t.Errorf("socket path %q has %d bytes, the kernel takes 107", path, len(path))
	}
	if linkOf("a") == linkOf("b") {
		t.Error("two labs share an interface name")
	}
}

func TestAddressAt_replacesTheLastByte(t *testing.T) {
	if got := addressAt(netip.MustParsePrefix("10.77.4.0/24"), 11).String(); got != "10.77.4.11" {
		t.Errorf("got %s", got)
	}
}
