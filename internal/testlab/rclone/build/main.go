// Command build is rclone of the release that replication runs, with no more backends and commands than the scripts of
// internal/topology/replication use, and the object store of tests: the full program takes minutes to compile. Called by
// the name flock it locks a file descriptor, which Alpine's busybox does in the real image and Debian's, in the lab,
// does not.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	_ "github.com/rclone/rclone/backend/local"
	_ "github.com/rclone/rclone/backend/webdav"
	"github.com/rclone/rclone/cmd"
	_ "github.com/rclone/rclone/cmd/cat"
	_ "github.com/rclone/rclone/cmd/copy"
	_ "github.com/rclone/rclone/cmd/lsf"
	_ "github.com/rclone/rclone/cmd/serve/s3"
	_ "github.com/rclone/rclone/cmd/serve/webdav"
	_ "github.com/rclone/rclone/cmd/version"
)

func main() {
	if filepath.Base(os.Args[0]) == "flock" {
		lock()
		return
	}
	cmd.Main()
}

// lock is `flock -n FD` of busybox: exit status 1 when another process holds the lock.
func lock() {
	fd, err := strconv.Atoi(os.Args[len(os.Args)-1])
	if err == nil && len(os.Args) == 3 && os.Args[1] == "-n" {
		err = syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "flock:", err)
		os.Exit(1)
	}
}
