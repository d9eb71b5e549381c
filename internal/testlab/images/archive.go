package images

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Every time in an archive, so that the same binary always makes the same image ID.
var epoch = time.Unix(0, 0).UTC()

// imageConfig is the part of the Docker image configuration that the lab sets.
type imageConfig struct {
	Architecture string    `json:"architecture"`
	OS           string    `json:"os"`
	Created      time.Time `json:"created"`
	Config       struct {
		Env          []string            `json:"Env"`
		Entrypoint   []string            `json:"Entrypoint,omitempty"`
		Cmd          []string            `json:"Cmd,omitempty"`
		ExposedPorts map[string]struct{} `json:"ExposedPorts,omitempty"`
		WorkingDir   string              `json:"WorkingDir,omitempty"`
	} `json:"config"`
	RootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
	History []map[string]any `json:"history"`
}

// pack makes the `docker load` archive of one binary, or finds it in the cache under the binary's hash.
func pack(cache, name, binary string, made recipe) (Archive, error) {
	hash, _, err := hashFile(binary)
	if err != nil {
		return Archive{}, err
	}
	key := hash[:16]
	if made.busybox {
		shell, err := busyboxHash()
		if err != nil {
			return Archive{}, err
		}
		key += "-" + shell
	}
	layer := filepath.Join(cache, "layer-"+key+".tar")
	if _, err := os.Stat(layer); err != nil {
		if err := writeLayer(layer, binary, made); err != nil {
			return Archive{}, fmt.Errorf("write layer: %w", err)
		}
	}
	diffID, size, err := hashFile(layer)
	if err != nil {
		return Archive{}, err
	}
	config := imageConfig{Architecture: runtime.GOARCH, OS: "linux", Created: epoch}
	config.Config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	config.Config.Entrypoint, config.Config.Cmd = made.entrypoint, made.cmd
	config.Config.WorkingDir = made.workdir
	config.Config.ExposedPorts = map[string]struct{}{}
	for _, port := range made.ports {
		config.Config.ExposedPorts[port] = struct{}{}
	}
	config.RootFS.Type, config.RootFS.DiffIDs = "layers", []string{"sha256:" + diffID}
	config.History = []map[string]any{{"created": epoch, "created_by": "anka test lab"}}
	raw, err := json.Marshal(config)
	if err != nil {
		return Archive{}, err
	}
	sum := sha256.Sum256(raw)
	id := hex.EncodeToString(sum[:])
	archive := Archive{
		Name: name, ID: "sha256:" + id,
		Path: filepath.Join(cache, strings.NewReplacer("/", "_", ":", "_").Replace(name)+"-"+id[:16]+".tar"),
	}
	if _, err := os.Stat(archive.Path); err == nil {
		return archive, nil
	}
	manifest, err := json.Marshal([]map[string]any{{
		"Config": id + ".json", "RepoTags": []string{name}, "Layers": []string{diffID + ".tar"},
	}})
	if err != nil {
		return Archive{}, err
	}
	return archive, writeTar(archive.Path, func(out *tar.Writer) error {
		if err := addBytes(out, id+".json", raw); err != nil {
			return err
		}
		if err := addBytes(out, "manifest.json", manifest); err != nil {
			return err
		}
		return addFile(out, layer, &tar.Header{Name: diffID + ".tar", Mode: 0o644, Size: size})
	})
}

// writeLayer writes the image's only layer: the binary, the folders above it, a /tmp, and a shell if it has one.
func writeLayer(layer, binary string, made recipe) error {
	target := made.path
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	return writeTar(layer, func(out *tar.Writer) error {
		folders := []string{}
		for dir := path.Dir(target); dir != "."; dir = path.Dir(dir) {
			folders = append([]string{dir}, folders...)
		}
		for _, dir := range folders {
			if err := addFolder(out, dir, 0o755); err != nil {
				return err
			}
		}
		if err := addFolder(out, "tmp", 0o1777); err != nil {
			return err
		}
		if made.busybox {
			if err := addBusybox(out, "/"+target); err != nil {
				return err
			}
		}
		return addFile(out, binary, &tar.Header{Name: target, Mode: 0o755, Size: info.Size()})
	})
}

// writeTar writes an archive under a temporary name first, so that a killed process leaves no half archive behind.
func writeTar(target string, fill func(*tar.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(target), "partial-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(file.Name())
		}
	}()
	out := tar.NewWriter(file)
	if err := fill(out); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), target)
}

func addFolder(out *tar.Writer, name string, mode int64) error {
	return out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode, ModTime: epoch, Format: tar.FormatUSTAR})
}

func addBytes(out *tar.Writer, name string, content []byte) error {
	header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), ModTime: epoch, Format: tar.FormatUSTAR}
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	_, err := out.Write(content)
	return err
}

func addFile(out *tar.Writer, source string, header *tar.Header) error {
	file, err := os.Open(source)
	if err != nil {
		return err
	}
	defer file.Close()
	header.ModTime, header.Format = epoch, tar.FormatUSTAR
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(out, file)
	return err
}
