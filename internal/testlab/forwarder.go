package testlab

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"
)

// A dockerd has either TLS on all of its TCP listeners or on none. The plain listener of a host is therefore this
// program again, started inside the host's network and PID namespaces, copying bytes to the daemon's socket. The name
// is passed as argument 0; every test binary that imports this package can be started so.
const forwarderName = "anka-lab-forwarder"

func init() {
	if len(os.Args) == 3 && os.Args[0] == forwarderName {
		fmt.Fprintln(os.Stderr, forward(os.Args[1], os.Args[2]))
		os.Exit(1)
	}
}

// startForwarder starts the plain TCP listener of the host's daemon and waits until it answers.
func (h *Host) startForwarder(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	pid, err := h.pid()
	if err != nil {
		return err
	}
	// The shell leaves the program to the host's first process; `exec -a` is not in every sh, hence bash.
	const start = `(exec -a "$0" "$1" "$2" "$3") >>"$4" 2>&1 </dev/null &`
	address := "0.0.0.0:" + strconv.Itoa(TCPPort)
	_, err = run(ctx, "nsenter", "--target", strconv.Itoa(pid), "--net", "--pid",
		"setsid", "bash", "-c", start, forwarderName, self, address, h.DockerSocket(), h.dir()+"/run/forwarder.log")
	if err != nil {
		return fmt.Errorf("host %s: start plain TCP listener: %w", h.Name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err = poll(ctx, "plain TCP listener on "+h.TCPAddr(), func() (bool, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", h.TCPAddr())
		if err != nil {
			return false, err
		}
		return true, conn.Close()
	})
	return h.withLog(err, "forwarder.log")
}

// forward listens on a TCP address and copies every connection to and from a unix socket, until it fails.
func forward(address, socket string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			client := conn.(*net.TCPConn)
			defer client.Close()
			upstream, err := net.Dial("unix", socket)
			if err != nil {
				return
			}
			daemon := upstream.(*net.UnixConn)
			defer daemon.Close()
			done := make(chan struct{})
			go func() {
				_, _ = io.Copy(daemon, client)
				// Half closing is how a hijacked connection ends its standard input.
				_ = daemon.CloseWrite()
				close(done)
			}()
			_, _ = io.Copy(client, daemon)
			_ = client.CloseWrite()
			<-done
		}()
	}
}
