// Package etcdstub answers inside a test as an etcd member of some version
// would, as far as asking for the version goes. It belongs to the lab; what
// needs an etcd that works runs a real one.
package etcdstub

import (
	"context"
	"net"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

type member struct {
	pb.UnimplementedMaintenanceServer
	pb.UnimplementedClusterServer
	version string
}

// Status tells the version.
func (m member) Status(context.Context, *pb.StatusRequest) (*pb.StatusResponse, error) {
	return &pb.StatusResponse{Header: &pb.ResponseHeader{}, Version: m.version}, nil
}

// MemberList has no members.
func (member) MemberList(context.Context, *pb.MemberListRequest) (*pb.MemberListResponse, error) {
	return &pb.MemberListResponse{}, nil
}

// Serve answers on loopback until the test ends, and returns the client URL.
func Serve(t testing.TB, version string) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterMaintenanceServer(server, member{version: version})
	pb.RegisterClusterServer(server, member{})
	go func() { _ = server.Serve(listener) }() // it ends with the test
	t.Cleanup(server.Stop)
	return "http://" + listener.Addr().String()
}
