package images

import (
	"archive/tar"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/rclone"
)

// busyboxHash stands for the shell of this machine in the names of layers.
func busyboxHash() (string, error) {
	path, err := rclone.Busybox()
	if err != nil {
		return "", err
	}
	hash, _, err := hashFile(path)
	if err != nil {
		return "", err
	}
	return hash[:16], nil
}

// addBusybox adds the static busybox of this machine and a link for each of its commands; flock, which Debian's lacks,
// is the binary of internal/testlab/rclone/build by that name.
func addBusybox(out *tar.Writer, binary string) error {
	path, err := rclone.Busybox()
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	list, err := exec.Command(path, "--list").Output()
	if err != nil {
		return fmt.Errorf("list the commands of %s: %w", path, err)
	}
	if err := addFolder(out, "bin", 0o755); err != nil {
		return err
	}
	if err := addFile(out, path, &tar.Header{Name: "bin/busybox", Mode: 0o755, Size: info.Size()}); err != nil {
		return err
	}
	links := map[string]string{"flock": binary}
	for name := range strings.FieldsSeq(string(list)) {
		if name != "busybox" && name != "flock" {
			links[name] = "/bin/busybox"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(links)) {
		header := &tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: links[name], Mode: 0o777, ModTime: epoch, Format: tar.FormatUSTAR}
		if err := out.WriteHeader(header); err != nil {
			return err
		}
	}
	return nil
}
