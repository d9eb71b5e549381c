package controller

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/wire"
)

// maxRecord bounds the JSON of one node or instance, in bytes.
const maxRecord = 1 << 20

func (c *Controller) nodes(w http.ResponseWriter, r *http.Request) {
	nodes, err := load[wire.Node](r.Context(), c.store, Nodes)
	if err != nil {
		c.storeFailed(w, err)
		return
	}
	for i := range nodes {
		nodes[i].State = c.nodeState(nodes[i])
	}
	if id := r.URL.Query().Get("id"); id != "" {
		nodes = slices.DeleteFunc(nodes, func(n wire.Node) bool { return n.NodeID != id })
		if len(nodes) == 0 {
			wire.ReplyFail(w, http.StatusNotFound, "Node not found")
			return
		}
	}
	wire.ReplyOK(w, nodes)
}

// nodeState turns a node that stopped reporting into an offline one, as
// ANKA_NODE_ACTIVE_TIMEOUT says.
func (c *Controller) nodeState(n wire.Node) string {
	seen, err := time.Parse(time.RFC3339Nano, n.LastUpdated)
	if err != nil || c.now().Sub(seen) > c.settings.NodeActiveTimeout {
		return wire.NodeOffline
	}
	return n.State
}

func (c *Controller) instances(w http.ResponseWriter, r *http.Request) {
	instances, err := load[wire.Instance](r.Context(), c.store, Instances)
	if err != nil {
		c.storeFailed(w, err)
		return
	}
	id := r.URL.Query().Get("id")
	if id == "" {
		wire.ReplyOK(w, instances)
		return
	}
	for _, instance := range instances {
		if instance.InstanceID == id {
			wire.ReplyOK(w, instance.VM)
			return
		}
	}
	wire.ReplyFail(w, http.StatusNotFound, "Instance not found")
}

// registerNode stands for the report of a node agent. Fields that are not
// given get the values of a small, healthy node.
func (c *Controller) registerNode(w http.ResponseWriter, r *http.Request) {
	node := wire.Node{
		CPUCount: 8, RAM: 16, Capacity: 2, CapacityMode: "number", HostArch: "arm64",
		State: wire.NodeActive, Groups: []wire.Group{}, Templates: []json.RawMessage{},
		AnkaVersion: map[string]string{}, LastUpdated: c.now().UTC().Format(time.RFC3339Nano),
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRecord)).Decode(&node); err != nil {
		wire.ReplyFail(w, http.StatusBadRequest, "not the JSON of a node: "+err.Error())
		return
	}
	if node.NodeID == "" {
		node.NodeID = newID()
	}
	if !validID(node.NodeID) {
		wire.ReplyFail(w, http.StatusBadRequest, "node_id holds a slash")
		return
	}
	if !slices.Contains(wire.NodeStates, node.State) {
		wire.ReplyFail(w, http.StatusBadRequest, fmt.Sprintf("state %q is not one of %q", node.State, wire.NodeStates))
		return
	}
	c.save(w, r, record{Nodes, node.NodeID, node})
}

func (c *Controller) registerInstance(w http.ResponseWriter, r *http.Request) {
	instance := wire.Instance{VM: json.RawMessage(`{"instance_state":"Started"}`)}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRecord)).Decode(&instance); err != nil {
		wire.ReplyFail(w, http.StatusBadRequest, "not the JSON of an instance: "+err.Error())
		return
	}
	if instance.InstanceID == "" {
		instance.InstanceID = newID()
	}
	if !validID(instance.InstanceID) {
		wire.ReplyFail(w, http.StatusBadRequest, "instance_id holds a slash")
		return
	}
	c.save(w, r, record{Instances, instance.InstanceID, instance})
}

func (c *Controller) remove(kind Kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		found, err := c.store.Delete(r.Context(), kind, r.URL.Query().Get("id"))
		switch {
		case err != nil:
			c.storeFailed(w, err)
		case !found:
			wire.ReplyFail(w, http.StatusNotFound, "nothing with that id")
		default:
			wire.ReplyOK(w, nil)
		}
	}
}

type record struct {
	kind  Kind
	id    string
	value any
}

func (c *Controller) save(w http.ResponseWriter, r *http.Request, rec record) {
	if err := put(r.Context(), c.store, rec); err != nil {
		c.storeFailed(w, err)
		return
	}
	wire.ReplyOK(w, rec.value)
}

func (c *Controller) storeFailed(w http.ResponseWriter, err error) {
	c.log.Errorf("%v", err)
	wire.ReplyFail(w, http.StatusInternalServerError, err.Error())
}

// load returns all values of a kind, ordered by id.
func load[T any](ctx context.Context, store Store, kind Kind) ([]T, error) {
	stored, err := store.List(ctx, kind)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(stored))
	for id := range stored {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	values := make([]T, len(ids))
	for i, id := range ids {
		if err := json.Unmarshal(stored[id], &values[i]); err != nil {
			return nil, fmt.Errorf("%s %s in etcd is damaged: %w", kind, id, err)
		}
	}
	return values, nil
}

func validID(id string) bool { return !strings.Contains(id, "/") }

// newID returns a random UUID of version 4.
func newID() string {
	var b [16]byte
	// Never fails, by its documentation.
	_, _ = rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
