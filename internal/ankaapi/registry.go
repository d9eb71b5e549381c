package ankaapi

import (
	"context"
	"net/http"
	"net/url"
)

// Template is a VM template, as a registry lists it.
type Template struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Disk is the file system that a registry keeps its layers on, in bytes.
type Disk struct {
	Total int64 `json:"total"`
	Free  int64 `json:"free"`
}

// Templates asks a registry for all templates. Its answer may be as old as
// ANKA_VM_LIST_CACHE_TTL, which is 30 s by default. Errors are [*Error].
func (c *Client) Templates(ctx context.Context) ([]Template, error) {
	var templates []Template
	err := c.ask(ctx, Registry, "/registry/v2/vm", &templates)
	return templates, err
}

// Tags asks a registry how many tags a template has: none, when it was deleted
// since it was listed. Errors are [*Error].
func (c *Client) Tags(ctx context.Context, template string) (int, error) {
	a, err := c.get(ctx, "/registry/v2/vm?id="+url.QueryEscape(template), true)
	if err != nil {
		return 0, err
	}
	var answered struct {
		Versions []struct {
			Tag string `json:"tag"`
		} `json:"versions"`
	}
	err = c.decode(a, &answered)
	if a.code == http.StatusNotFound && Is(err, Failed) {
		return 0, nil
	}
	return len(answered.Versions), err
}

// Disk asks a registry for the space of its storage. Errors are [*Error].
func (c *Client) Disk(ctx context.Context) (Disk, error) {
	var disk Disk
	err := c.ask(ctx, Registry, "/registry/disk", &disk)
	return disk, err
}
