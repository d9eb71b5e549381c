package ankaapi

import (
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/inprocess"
)

func TestRegistry(t *testing.T) {
	url := inprocess.Registry(t, nil)
	c := connect(t, Config{URL: url})
	if templates, err := c.Templates(t.Context()); err != nil || len(templates) != 0 {
		t.Errorf("empty: got %+v, %v", templates, err)
	}
	inprocess.Push(t, url, "a", "v1")
	inprocess.Push(t, url, "a", "v2")
	inprocess.Push(t, url, "b", "v1")
	templates, err := c.Templates(t.Context())
	if err != nil || len(templates) != 2 || templates[0] != (Template{ID: "a", Name: "vm-a"}) {
		t.Errorf("got %+v, %v", templates, err)
	}
	for id, want := range map[string]int{"a": 2, "b": 1, "gone": 0} {
		if n, err := c.Tags(t.Context(), id); err != nil || n != want {
			t.Errorf("%s: got %d, %v", id, n, err)
		}
	}
	if disk, err := c.Disk(t.Context()); err != nil || disk.Free <= 0 || disk.Total <= disk.Free {
		t.Errorf("got %+v, %v", disk, err)
	}
}

func TestRegistry_refusals(t *testing.T) {
	locked := connect(t, Config{URL: inprocess.Registry(t, inprocess.Env{"ANKA_ENABLE_AUTH": "true", "ANKA_ROOT_TOKEN": rootToken})})
	_, err := locked.Templates(t.Context())
	wants(t, err, Unauthorized, "none were sent")
	_, err = locked.Tags(t.Context(), "a")
	wants(t, err, Unauthorized, "none were sent")
	_, err = locked.Disk(t.Context())
	wants(t, err, Unauthorized, "none were sent")
	controller := connect(t, Config{URL: inprocess.Controller(t, inprocess.NewStore(), nil)})
	_, err = controller.Templates(t.Context())
	wants(t, err, WrongService, "the URL of a controller, not of a registry")
	// What is no registry at all has not "no tags".
	_, err = connect(t, Config{URL: serve(t, nil).URL}).Tags(t.Context(), "a")
	wants(t, err, NotAnka)
}
