// Command etcd37 is the etcd server of release 3.7.3, built from the module proxy. It layers under the lab's container
// images: the lab has no image registry to pull from, so it makes a scratch image of this one static binary.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
