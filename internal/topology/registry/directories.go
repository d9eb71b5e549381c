package registry

import (
	"fmt"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// Variables of the registry that name the directories of its storage.
const (
	imageDirVariable     = "ANKA_IMAGE_DIR_PATH"
	stateFileDirVariable = "ANKA_STATE_FILE_DIR_PATH"
	vmDirVariable        = "ANKA_VM_DIR_PATH"
)

// DirectoryVariables name the directories that replicate: those of layers, and
// last that of the metadata.
var DirectoryVariables = []string{imageDirVariable, stateFileDirVariable, vmDirVariable}

// Directories are those of a registry with this environment, below its
// storage, in the order of [DirectoryVariables].
func Directories(env map[string]string) []string {
	all := append([]string{}, replication.DefaultLayerDirs...)
	all = append(all, replication.DefaultMetadataDir)
	for i, name := range DirectoryVariables {
		if env[name] != "" {
			all[i] = env[name]
		}
	}
	return all
}

// CheckDirectories judges whether the directories can be replicated, with what
// is given of the variables. The variable is the one at fault, "" for none.
func CheckDirectories(env map[string]string) (variable string, err error) {
	all := Directories(env)
	for i, dir := range all {
		if dir == service.Unknown {
			continue
		}
		if err := replication.CheckDirectory(dir); err != nil {
			return DirectoryVariables[i], err
		}
		for j, other := range all[:i] {
			if other == service.Unknown || !within(dir, other) && !within(other, dir) {
				continue
			}
			// The default of one may be in the way of what is given of another.
			at, others := DirectoryVariables[i], DirectoryVariables[j]
			if env[at] == "" {
				at, others = others, at
			}
			return at, fmt.Errorf("%q and %q, the directory of %s, are one in the other, and replication treats layers and what names them differently", all[index(at)], all[index(others)], others)
		}
	}
	return "", nil
}

func index(variable string) int {
	for i, name := range DirectoryVariables {
		if name == variable {
			return i
		}
	}
	return -1
}

// within reports whether dir is other or below it.
func within(dir, other string) bool { return dir == other || strings.HasPrefix(dir, other+"/") }
