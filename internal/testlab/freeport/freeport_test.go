package freeport_test

import (
	"net"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/freeport"
)

func TestFind(t *testing.T) {
	for range 20 {
		listener, err := net.Listen("tcp", freeport.Address(t))
		if err != nil {
			t.Fatal(err)
		}
		if port := listener.Addr().(*net.TCPAddr).Port; port < 20000 || port >= 32768 {
			t.Errorf("%d may become a client's", port)
		}
		defer listener.Close()
	}
	if address, err := freeport.Find("192.0.2.1"); err == nil {
		t.Errorf("an address that is not this machine's gave %s", address)
	}
}
