package dockerhost

import (
	"net"
	"os"
	"testing"
)

func TestIsThisMachine(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "[::1]": true, "LOCALHOST": true, own: true,
		"": false, "192.0.2.1": false, "2001:db8::1": false, "host.invalid": false,
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range interfaces {
		if network, is := each.(*net.IPNet); is {
			cases[network.IP.String()] = true
		}
	}
	for address, want := range cases {
		if got := IsThisMachine(address); got != want {
			t.Errorf("IsThisMachine(%q) = %t", address, got)
		}
	}
}
