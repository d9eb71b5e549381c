package registry_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

func TestCheckDirectories(t *testing.T) {
	const image, state, vm = "ANKA_IMAGE_DIR_PATH", "ANKA_STATE_FILE_DIR_PATH", "ANKA_VM_DIR_PATH"
	for name, c := range map[string]struct {
		env  map[string]string
		at   string // the variable at fault, "" for none
		text string
	}{
		"defaults":               {nil, "", ""},
		"all given":              {map[string]string{image: "a/images", state: "a/states", vm: "vms"}, "", ""},
		"not known yet":          {map[string]string{image: service.Unknown, vm: service.Unknown}, "", ""},
		"absolute":               {map[string]string{vm: "/srv/vms"}, vm, `"/srv/vms" is not a path`},
		"outside":                {map[string]string{image: "../images"}, image, "below the storage"},
		"words":                  {map[string]string{state: "my states"}, state, "letters, digits"},
		"replication's own":      {map[string]string{image: ".anka-replication"}, image, "below the storage"},
		"the same":               {map[string]string{image: "data", vm: "data"}, vm, `directory of ANKA_IMAGE_DIR_PATH`},
		"one in the other":       {map[string]string{image: "data/images", vm: "data"}, vm, `"data" and "data/images"`},
		"in the default":         {map[string]string{image: "vm_dir/images"}, image, `"vm_dir/images" and "vm_dir", the directory of ANKA_VM_DIR_PATH`},
		"default in what is set": {map[string]string{vm: "images_dir"}, vm, "ANKA_IMAGE_DIR_PATH"},
		"same beginning":         {map[string]string{vm: "images_dir2"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			at, err := registry.CheckDirectories(c.env)
			if at != c.at || (err == nil) != (c.at == "") || err != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %s: %v, want %s: %s", at, err, c.at, c.text)
			}
		})
	}
	if got := registry.Directories(map[string]string{state: "s"}); !slices.Equal(got, []string{"images_dir", "s", "vm_dir"}) {
		t.Errorf("got %v", got)
	}
}
