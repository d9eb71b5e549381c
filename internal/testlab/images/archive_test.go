package images

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// readTar returns the regular files of an archive by name.
func readTar(t *testing.T, path string) map[string][]byte {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	files := map[string][]byte{}
	for in := tar.NewReader(file); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			files[header.Name] = content
		}
	}
}

func packed(t *testing.T, content string) (Archive, map[string][]byte) {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "etcd")
	if err := os.WriteFile(binary, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	archive, err := pack(dir, Etcd35, binary, recipes[Etcd35])
	if err != nil {
		t.Fatal(err)
	}
	return archive, readTar(t, archive.Path)
}

func TestPack_isDeterministic(t *testing.T) {
	first, _ := packed(t, "one")
	again, _ := packed(t, "one")
	other, _ := packed(t, "two")
	if first.ID != again.ID {
		t.Errorf("the same binary made images %s and %s", first.ID, again.ID)
	}
	if first.ID == other.ID {
		t.Error("different binaries made the same image")
	}
}

func TestPack_describesTheImageAsTheOfficialOneIs(t *testing.T) {
	_, files := packed(t, "one")
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil || len(manifest) != 1 {
		t.Fatalf("manifest %s: %v", files["manifest.json"], err)
	}
	if tags := manifest[0].RepoTags; len(tags) != 1 || tags[0] != Etcd35 {
		t.Errorf("tags %v", tags)
	}
	var config imageConfig
	if err := json.Unmarshal(files[manifest[0].Config], &config); err != nil {
		t.Fatal(err)
	}
	if len(config.Config.Entrypoint) != 0 || len(config.Config.Cmd) != 1 || config.Config.Cmd[0] != "/usr/local/bin/etcd" {
		t.Errorf("entrypoint %v, cmd %v", config.Config.Entrypoint, config.Config.Cmd)
	}
	layer := filepath.Join(t.TempDir(), "layer.tar")
	if err := os.WriteFile(layer, files[manifest[0].Layers[0]], 0o600); err != nil {
		t.Fatal(err)
	}
	if got := string(readTar(t, layer)["usr/local/bin/etcd"]); got != "one" {
		t.Errorf("the layer's binary is %q", got)
	}
}

func TestCheck_namesWhatCanBeMade(t *testing.T) {
	if err := Check("anka-lab/etcd:v9"); err == nil {
		t.Error("an unknown image passed")
	}
	for _, name := range append(Default(), Etcd36, Etcd37) {
		if err := Check(name); err != nil {
			t.Error(err)
		}
	}
}
