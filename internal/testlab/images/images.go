// Package images builds the container images of the lab: scratch images of one static binary each.
//
// Layer: test support, below package testlab. There is no image registry to pull from, so etcd is built from the module
// proxy (the nested modules beside this file pin the releases) and the stand-in for controller and registry from this
// repository. Archives are deterministic and cached in the user's cache directory.
package images

import (
	"fmt"
	"sort"
	"strings"
)

// Names of the images that the lab can make.
const (
	Etcd35     = "anka-lab/etcd:v3.5.35"
	Etcd36     = "anka-lab/etcd:v3.6.16"
	Etcd37     = "anka-lab/etcd:v3.7.3"
	Controller = "anka-lab/controller:v1.50.1" // the stand-in, not the vendor's
	Registry   = "anka-lab/registry:v1.50.1"   // the stand-in, not the vendor's
	Rclone     = "anka-lab/rclone:1.75.1"      // with busybox, as in rclone's own image
)

// Default returns the images that the three-host topology needs.
func Default() []string { return []string{Etcd35, Controller, Registry, Rclone} }

// recipe says how an image is made.
type recipe struct {
	// module is the folder, relative to the repository, of the module to build in.
	module string
	// command is the main package inside that module.
	command string
	// path is where the binary lies in the image.
	path string
	// entrypoint and cmd are the image's, in exec form.
	entrypoint, cmd []string
	ports           []string
	workdir         string
	// busybox: the image has a shell and its commands beside the binary.
	busybox bool
}

// recipes: etcd has a Cmd and no Entrypoint, like quay.io/coreos/etcd; the stand-ins start when neither is set.
var recipes = map[string]recipe{
	Etcd35: etcd("internal/testlab/images/etcd35"),
	Etcd36: etcd("internal/testlab/images/etcd36"),
	Etcd37: etcd("internal/testlab/images/etcd37"),
	Controller: {
		module: ".", command: "./internal/testlab/ankasim/cmd/ankasim", path: "ankasim",
		entrypoint: []string{"/ankasim"}, cmd: []string{"controller"}, ports: []string{"80/tcp", "2112/tcp"},
	},
	Registry: {
		module: ".", command: "./internal/testlab/ankasim/cmd/ankasim", path: "ankasim",
		entrypoint: []string{"/ankasim"}, cmd: []string{"registry"}, ports: []string{"8089/tcp", "2112/tcp"},
	},
	Rclone: {
		module: "internal/testlab/rclone/build", command: ".", path: "usr/local/bin/rclone",
		entrypoint: []string{"rclone"}, workdir: "/data", busybox: true,
	},
}

func etcd(module string) recipe {
	return recipe{
		module: module, command: ".", path: "usr/local/bin/etcd",
		cmd: []string{"/usr/local/bin/etcd"}, ports: []string{"2379/tcp", "2380/tcp"},
	}
}

// Names returns the names of all images that can be made, sorted.
func Names() []string {
	names := make([]string, 0, len(recipes))
	for name := range recipes {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Check returns an error for a name that no recipe makes.
func Check(name string) error {
	if _, known := recipes[name]; !known {
		return fmt.Errorf("image %q: the lab can make %s", name, strings.Join(Names(), ", "))
	}
	return nil
}
