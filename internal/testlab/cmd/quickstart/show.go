package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// showMembers asks the cluster itself rather than the state file, and returns
// an error when its members do not agree.
func showMembers(ctx context.Context, endpoints []string) error {
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: 5 * time.Second})
	if err != nil {
		return fmt.Errorf("reach etcd at %s: %w", strings.Join(endpoints, ", "), err)
	}
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()

	list, err := client.MemberList(ctx)
	if err != nil {
		return fmt.Errorf("list etcd members at %s: %w", strings.Join(endpoints, ", "), err)
	}
	cluster := list.Header.ClusterId
	slices.SortFunc(list.Members, func(a, b *etcdserverpb.Member) int { return strings.Compare(a.Name, b.Name) })
	table := newTable("NAME", "ID", "VERSION", "ROLE", "DB SIZE", "PEER URL", "CLIENT URL")
	for _, member := range list.Members {
		if len(member.ClientURLs) == 0 {
			return fmt.Errorf("etcd member %x has not started", member.ID)
		}
		status, err := client.Status(ctx, member.ClientURLs[0])
		if err != nil {
			return fmt.Errorf("status of etcd member %s at %s: %w", member.Name, member.ClientURLs[0], err)
		}
		if status.Header.ClusterId != cluster {
			return fmt.Errorf("etcd member %s is in cluster %x, the others are in %x", member.Name, status.Header.ClusterId, cluster)
		}
		role := "follower"
		switch {
		case status.IsLearner:
			role = "learner"
		case status.Leader == member.ID:
			role = "leader"
		}
		table.row(member.Name, fmt.Sprintf("%016x", member.ID), status.Version, role,
			fmt.Sprintf("%d kB", status.DbSize/1000), strings.Join(member.PeerURLs, ","), strings.Join(member.ClientURLs, ","))
	}
	return table.flush()
}

// showControllers returns an error when one of them is not ready.
func showControllers(controllers map[string]controllerStatus) error {
	table := newTable("HOST", "URL", "STATUS", "READY", "VERSION", "REGISTRY", "REGISTRY STATUS")
	var unready []string
	for _, host := range slices.Sorted(maps.Keys(controllers)) {
		c := controllers[host]
		table.row(host, c.URL, c.Status, fmt.Sprint(c.Ready), c.Version, c.RegistryAddress, c.RegistryStatus)
		if !c.Ready {
			unready = append(unready, host)
		}
	}
	if err := table.flush(); err != nil {
		return err
	}
	if len(controllers) == 0 || len(unready) > 0 {
		return fmt.Errorf("of %d controllers, these are not ready: %s", len(controllers), strings.Join(unready, ", "))
	}
	return nil
}

type table struct{ writer *tabwriter.Writer }

func newTable(columns ...string) table {
	t := table{writer: tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)}
	t.row(columns...)
	return t
}

// row and flush share one error, which the writer keeps until it is flushed.
func (t table) row(cells ...string) {
	_, _ = fmt.Fprintln(t.writer, "    "+strings.Join(cells, "\t"))
}

func (t table) flush() error { return t.writer.Flush() }
