package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/wire"
)

// Metadata under vm_dir/ID: template.json names the template and makes it
// visible, tag-NUMBER.json names the files of one version.
const (
	templateFile = "template.json"
	tagPrefix    = "tag-"
	tagSuffix    = ".json"
)

// Push is what a client sends once all files of a version are uploaded.
type Push struct {
	ID      string       `json:"id"`
	Name    string       `json:"name"`
	Version wire.Version `json:"version"` // number, size and dates are set by the registry
}

type templateRecord struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Add makes a version visible, as the last step of an upload. It fails with
// errMissing while one of its files is not there.
func (s *Storage) Add(p Push, date string) (wire.Version, error) {
	if !plainName.MatchString(p.ID) || p.Name == "" || p.Version.Tag == "" {
		return wire.Version{}, fmt.Errorf("id, name and version.tag are required: %w", errBadName)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	versions, err := s.versions(p.ID)
	if err != nil {
		return wire.Version{}, err
	}
	added := p.Version
	added.Number, added.Size = 0, 0
	for _, v := range versions {
		if v.Tag == added.Tag {
			return wire.Version{}, fmt.Errorf("tag %q of template %s %w", v.Tag, p.ID, errConflict)
		}
		added.Number = max(added.Number, v.Number+1)
	}
	var missing []string
	for path, name := range s.filesOf(p.ID, added) {
		size, err := s.size(path)
		if errors.Is(err, errNotFound) {
			missing = append(missing, name)
		} else if err != nil {
			return wire.Version{}, err
		}
		added.Size += size
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return wire.Version{}, fmt.Errorf("tag %q %w: %s", added.Tag, errMissing, strings.Join(missing, ", "))
	}
	added.CreationDate, added.LastPush = date, date
	added.Images, added.StateFiles = orEmpty(added.Images), orEmpty(added.StateFiles)

	dir := filepath.Join(s.vms, p.ID)
	// The tag before the template: a template without tags must not show up.
	err = s.writeMetadata(filepath.Join(dir, tagPrefix+strconv.Itoa(added.Number)+tagSuffix), added)
	if err == nil && len(versions) == 0 {
		err = s.writeMetadata(filepath.Join(dir, templateFile), templateRecord{ID: p.ID, Name: p.Name})
	}
	return added, err
}

func orEmpty(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

func (s *Storage) writeMetadata(path string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = s.put(path, bytes.NewReader(data))
	return err
}

// filesOf returns the name of every file of a version by path. Names that do not
// fit the layout lead to a path that does not exist.
func (s *Storage) filesOf(id string, v wire.Version) map[string]string {
	files := map[string]string{}
	for kind, names := range map[fileKind][]string{image: v.Images, stateFile: v.StateFiles} {
		for _, name := range names {
			path, err := s.layerPath(kind, name)
			if err != nil {
				path = filepath.Join(s.dirs[kind], uploadSuffix, filepath.Base(name))
			}
			files[path] = string(kind) + " " + name
		}
	}
	for _, name := range []string{v.ConfigFile, v.NVRAM} {
		if name == "" {
			continue
		}
		path, err := s.vmFilePath(id, name)
		if err != nil {
			path = filepath.Join(s.vms, uploadSuffix, filepath.Base(name))
		}
		files[path] = "file " + name
	}
	return files
}

// Template returns one template with its versions, or errNotFound.
func (s *Storage) Template(id string) (wire.Template, error) {
	if !plainName.MatchString(id) {
		return wire.Template{}, errNotFound
	}
	var record templateRecord
	if err := s.readJSON(filepath.Join(s.vms, id, templateFile), &record); err != nil {
		return wire.Template{}, err
	}
	versions, err := s.versions(id)
	if err != nil {
		return wire.Template{}, err
	}
	template := wire.Template{ID: record.ID, Name: record.Name, Versions: versions}
	counted := map[string]bool{}
	for _, v := range versions {
		for path := range s.filesOf(id, v) {
			// A layer that several tags share takes its space once; one that a
			// replica does not have yet takes none.
			if size, err := s.size(path); err == nil && !counted[path] {
				counted[path] = true
				template.Size += size
			}
		}
	}
	return template, nil
}

// versions returns the tags of a template by number; none when it is unknown.
func (s *Storage) versions(id string) ([]wire.Version, error) {
	names, err := s.names(filepath.Join(s.vms, id))
	if err != nil && !errors.Is(err, errNotFound) {
		return nil, err
	}
	var versions []wire.Version
	for _, name := range names {
		if !strings.HasPrefix(name, tagPrefix) || !strings.HasSuffix(name, tagSuffix) {
			continue
		}
		var v wire.Version
		if err := s.readJSON(filepath.Join(s.vms, id, name), &v); err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	slices.SortFunc(versions, func(a, b wire.Version) int { return a.Number - b.Number })
	return versions, nil
}

// List returns all templates by id, without versions. Templates whose metadata
// cannot be read are left out and come back as the error.
func (s *Storage) List() ([]wire.Template, error) {
	ids, err := s.names(s.vms)
	if err != nil {
		return nil, err
	}
	templates := []wire.Template{}
	var damaged []error
	for _, id := range ids {
		template, err := s.Template(id)
		switch {
		case errors.Is(err, errNotFound):
		case err != nil:
			damaged = append(damaged, fmt.Errorf("template %s: %w", id, err))
		default:
			template.Versions = nil
			templates = append(templates, template)
		}
	}
	return templates, errors.Join(damaged...)
}

// Delete removes a template, its metadata first, and then the layers that no
// other template names.
func (s *Storage) Delete(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	template, err := s.Template(id)
	if err != nil {
		return err
	}
	dir := filepath.Join(s.vms, id)
	if err := s.remove(filepath.Join(dir, templateFile)); err != nil {
		return err
	}
	if err := s.remove(dir); err != nil {
		return err
	}
	kept, err := s.referenced()
	if err != nil {
		return fmt.Errorf("template %s is deleted, its layers are kept: %w", id, err)
	}
	for _, v := range template.Versions {
		for path := range s.filesOf(id, v) {
			if kept[path] {
				continue
			}
			if err := s.remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// referenced returns the paths of all files some tag names. Damaged metadata is
// an error here: it might name any layer.
func (s *Storage) referenced() (map[string]bool, error) {
	ids, err := s.names(s.vms)
	if err != nil {
		return nil, err
	}
	paths := map[string]bool{}
	for _, id := range ids {
		versions, err := s.versions(id)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			for path := range s.filesOf(id, v) {
				paths[path] = true
			}
		}
	}
	return paths, nil
}

func (s *Storage) readJSON(path string, into any) error {
	file, err := s.open(path)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s is damaged: %w", filepath.Base(path), err)
	}
	return nil
}
