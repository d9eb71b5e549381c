package etcdops

import (
	"context"

	"github.com/anka-ha/terraform-provider-anka/internal/etcdclient"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/etcd"
)

// take looks at the hosts of all members and notes on which ports their
// containers listen.
func (c *Cluster) take(ctx context.Context) (survey.Survey, error) {
	s, err := survey.Take(ctx, c.Fleet, c.hosts())
	if err != nil {
		return s, err
	}
	for _, m := range c.Desired.All() {
		if found, present := c.find(s, m); present {
			c.notePort(m, found)
		}
	}
	return s, nil
}

// notePort remembers the client port that a container was made with. It is the
// configured one but for a member whose port is about to be changed.
func (c *Cluster) notePort(m etcd.Member, found containerFound) {
	_, was, err := etcd.Recall(found)
	if err != nil {
		return // another version made it; then the port is the configured one
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ports == nil {
		c.ports = map[string]int{}
	}
	c.ports[m.Key()] = was.ClientPort
}

// client returns the connection to one member, made on first use.
func (c *Cluster) client(m etcd.Member) (*etcdclient.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if port, noted := c.ports[m.Key()]; noted {
		m.ClientPort = port
	}
	if client, made := c.clients[m.ClientURL()]; made {
		return client, nil
	}
	host, err := c.Fleet.Host(m.Host)
	if err != nil {
		return nil, err
	}
	client, err := etcdclient.New(m.ClientURL(), host.DialService)
	if err != nil {
		return nil, err
	}
	if c.clients == nil {
		c.clients = map[string]*etcdclient.Client{}
	}
	c.clients[m.ClientURL()] = client
	return client, nil
}
