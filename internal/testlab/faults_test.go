package testlab

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// id returns the ID of the etcd container and whether it runs, as its host sees it.
func id(ctx context.Context, t *testing.T, host *Host) string {
	t.Helper()
	said, err := host.Docker(ctx, "inspect", "--format", "{{.Id}} {{.State.Status}}", "etcd")
	must(t, err)
	return strings.TrimSpace(said)
}

func TestAccLab_powerOffKillsTheHostAndKeepsItsDisk(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, 2*time.Minute)
	host := lab.Hosts[0]
	runEtcd(ctx, t, host)
	before := id(ctx, t, host)
	must(t, host.PowerOff(ctx))
	if host.Running() {
		t.Error("the host says that it is on")
	}
	for _, port := range []int{SSHPort, TLSPort, TCPPort, 2379} {
		if err := connects(ctx, lab.Hosts[1], host, port); err == nil {
			t.Errorf("port %d of a powered off host answers", port)
		}
	}
	if _, err := host.Run(ctx, "true"); err == nil || !strings.Contains(err.Error(), "powered off") {
		t.Errorf("a command on a powered off host: %v", err)
	}
	must(t, host.PowerOn(ctx))
	must(t, healthy(ctx, clientURL(host)))
	if after := id(ctx, t, host); after != before {
		t.Errorf("container is %q after the restart, was %q", after, before)
	}
}

func TestAccLab_cutOffStopsTrafficBothWays(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, 2*time.Minute)
	host, other := lab.Hosts[0], lab.Hosts[1]
	must(t, host.CutOff(ctx))
	if connects(ctx, other, host, SSHPort) == nil || connects(ctx, host, other, SSHPort) == nil {
		t.Error("a host that is cut off still has traffic")
	}
	if ok, _ := greets(ctx, host.SSHAddr()); ok {
		t.Error("this machine still reaches a host that is cut off")
	}
	must(t, host.Restore(ctx))
	must(t, connects(ctx, other, host, SSHPort))
}

func TestAccLab_blockSeparatesTwoAddressesOnly(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, 2*time.Minute)
	host, other := lab.Hosts[0], lab.Hosts[1]
	runEtcd(ctx, t, host)
	must(t, connects(ctx, other, host, 2379))
	must(t, host.Block(ctx, other.Address))
	for _, port := range []int{SSHPort, 2379} { // the host itself, and a container behind address translation
		if connects(ctx, other, host, port) == nil {
			t.Errorf("port %d is reached from a blocked address", port)
		}
	}
	if connects(ctx, host, other, SSHPort) == nil {
		t.Error("the host reaches the address that it blocks")
	}
	must(t, healthy(ctx, clientURL(host))) // from this machine
	must(t, host.Unblock(ctx))
	must(t, connects(ctx, other, host, 2379))
}

func TestAccLab_killedDaemonLeavesContainersRunning(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, 2*time.Minute)
	host := lab.Hosts[0]
	runEtcd(ctx, t, host)
	before := id(ctx, t, host)
	must(t, host.KillDaemon(ctx))
	if _, err := host.Docker(ctx, "ps"); err == nil {
		t.Error("a killed daemon answers")
	}
	must(t, healthy(ctx, clientURL(host)))
	must(t, host.StartDaemon(ctx))
	must(t, healthy(ctx, clientURL(host)))
	if after := id(ctx, t, host); after != before {
		t.Errorf("container is %q after the restart, was %q", after, before)
	}
}

func TestAccLab_stoppedDaemonStopsContainers(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, 2*time.Minute)
	host := lab.Hosts[0]
	runEtcd(ctx, t, host)
	must(t, host.StopDaemon(ctx))
	if status, err := get(ctx, clientURL(host)+"/health"); err == nil {
		t.Errorf("etcd answers %d after its daemon was stopped", status)
	}
	must(t, host.StartDaemon(ctx))
	must(t, healthy(ctx, clientURL(host)))
}

func TestAccLab_frozenDaemonAcceptsAndSaysNothing(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, time.Minute)
	host := lab.Hosts[0]
	must(t, host.Freeze())
	conn, err := net.Dial("unix", host.DockerSocket())
	must(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("GET /_ping HTTP/1.0\r\n\r\n"))
	must(t, err)
	must(t, conn.SetReadDeadline(time.Now().Add(500*time.Millisecond)))
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a frozen daemon answered %d bytes, %v", n, err)
	}
	must(t, host.Thaw())
	must(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Errorf("after thawing: %v", err)
	}
	if _, err := host.Docker(ctx, "version"); err != nil {
		t.Error(err)
	}
}

func TestAccLab_fullDiskTakesNothing(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, time.Minute)
	host, other := lab.Hosts[0], lab.Hosts[1]
	must(t, host.FillDisk(ctx))
	for _, path := range []string{"/opt/new", "/srv/new", "/var/lib/new", "/var/lib/docker/new"} {
		if _, err := host.Run(ctx, "echo some text > "+path); err == nil {
			t.Errorf("a full disk took %s", path)
		}
	}
	if _, err := other.Run(ctx, "echo some text > /opt/new"); err != nil {
		t.Errorf("another host's disk is full too: %v", err)
	}
	must(t, host.FreeDisk(ctx))
	_, err := host.Run(ctx, "echo some text > /opt/new")
	must(t, err)
}

func TestAccLab_sshCanBeDroppedAndStopped(t *testing.T) {
	lab, ctx := LabForTest(t, 2), within(t, time.Minute)
	host := lab.Hosts[0]
	client := dialSSH(t, lab, host.SSHAddr())
	must(t, host.DropSSH())
	if err := client.Wait(); err == nil || errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a dropped connection ended with %v", err)
	}
	dialSSH(t, lab, host.SSHAddr())
	must(t, host.StopSSH(ctx))
	if ok, err := greets(ctx, host.SSHAddr()); ok || err == nil {
		t.Error("a stopped server greets")
	}
	must(t, host.StartSSH(ctx))
	dialSSH(t, lab, host.SSHAddr())
}
