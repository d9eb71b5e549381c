package main

import (
	"encoding/json"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/images"
)

// imageNames is the variable images of the example.
type imageNames struct {
	Etcd        string `json:"etcd"`
	Controller  string `json:"controller"`
	Registry    string `json:"registry"`
	Replication string `json:"replication"`
}

// variables are all that differs between the lab and hosts of a user's own:
// where the hosts are, and images that need not be pulled.
func variables(lab *testlab.Lab) ([]byte, error) {
	hosts, err := lab.HostConfigs("ssh")
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(map[string]any{
		"hosts":  hosts,
		"images": imageNames{Etcd: images.Etcd35, Controller: images.Controller, Registry: images.Registry, Replication: images.Rclone},
	}, "", "  ")
}
