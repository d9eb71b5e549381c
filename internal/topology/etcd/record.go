package etcd

import (
	"encoding/json"
	"fmt"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
)

// LabelRecord holds the configuration that a container was made of, so that a
// cluster whose state was lost can be imported with an empty plan. It contains
// nothing that the container's command and environment do not tell as well.
const LabelRecord = container.LabelPrefix + "etcd-configuration"

// record is what LabelRecord holds, as JSON.
type record struct {
	Image      string            `json:"image"`
	Version    string            `json:"version,omitempty"`
	DataPath   string            `json:"data_path,omitempty"`
	Tuned      map[string]string `json:"tuned,omitempty"`
	BindIP     string            `json:"bind_ip,omitempty"`
	Env        map[string]string `json:"env,omitempty"`
	ExtraArgs  []string          `json:"extra_args,omitempty"`
	Restart    string            `json:"restart,omitempty"`
	LogMaxSize string            `json:"log_max_size,omitempty"`
	LogMaxFile int               `json:"log_max_file,omitempty"`
	ClientPort int               `json:"client_port"`
	PeerPort   int               `json:"peer_port"`
	MemberIP   string            `json:"member_bind_ip,omitempty"`
}

func (d Desired) record(m Member) string {
	// Strings, numbers and maps of them can always be encoded.
	encoded, _ := json.Marshal(record{
		Image: d.Image, Version: d.Version, DataPath: d.DataPath, Tuned: d.Settings.Tuned, BindIP: d.Settings.BindIP,
		Env: d.Settings.Env, ExtraArgs: d.Settings.ExtraArgs, Restart: d.Settings.Restart,
		LogMaxSize: d.Settings.Log.MaxSize, LogMaxFile: d.Settings.Log.MaxFile,
		ClientPort: m.ClientPort, PeerPort: m.PeerPort, MemberIP: m.BindIP,
	})
	return string(encoded)
}

// Recall makes the configuration of a cluster, and of the member that the
// container is, from the container's labels. The address of the host is not
// among them. Errors are about labels that this version did not write.
func Recall(found container.Found) (Desired, Member, error) {
	id, ours := found.Identity()
	var r record
	if err := json.Unmarshal([]byte(found.Labels[LabelRecord]), &r); !ours || err != nil {
		return Desired{}, Member{}, fmt.Errorf("the labels of container %s do not tell what it was made of: %w", found.Name, err)
	}
	d := Desired{
		Cluster: id.Owner, Image: r.Image, Version: r.Version, DataPath: r.DataPath, Born: true,
		Settings: Settings{
			Tuned: r.Tuned, BindIP: r.BindIP, Env: r.Env, ExtraArgs: r.ExtraArgs, Restart: r.Restart,
			Log: container.Log{MaxSize: r.LogMaxSize, MaxFile: r.LogMaxFile},
		},
	}
	return d, Member{
		Name: id.Instance, ClientPort: r.ClientPort, PeerPort: r.PeerPort, BindIP: r.MemberIP,
		Incarnation: found.Labels[container.LabelIncarnation],
	}, nil
}
