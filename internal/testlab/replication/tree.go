package replication

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/replication"
)

// Tree is the hash of every replicated file of a storage by its path, uploads in progress left out.
func Tree(data string) (map[string]string, error) {
	files := map[string]string{}
	for _, dir := range append([]string{replication.DefaultMetadataDir}, replication.DefaultLayerDirs...) {
		err := filepath.WalkDir(filepath.Join(data, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, ".upload") {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(content)
			name, err := filepath.Rel(data, path)
			files[name] = hex.EncodeToString(sum[:])
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return files, nil
}

// Equal returns nil when two storages hold the same, and otherwise some of the differences.
func Equal(primary, replica string) error {
	want, err := Tree(primary)
	if err != nil {
		return err
	}
	got, err := Tree(replica)
	if err != nil {
		return err
	}
	var differences []string
	for path, sum := range want {
		if got[path] == "" {
			differences = append(differences, path+" is missing")
		} else if got[path] != sum {
			differences = append(differences, path+" differs")
		}
	}
	for path := range got {
		if want[path] == "" {
			differences = append(differences, path+" is only on the replica")
		}
	}
	if len(differences) == 0 {
		return nil
	}
	return fmt.Errorf("%d differences, such as: %s", len(differences), strings.Join(differences[:min(3, len(differences))], "; "))
}
