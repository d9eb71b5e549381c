package registry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// client keeps its connections: readers and writers make thousands of requests.
var client = &http.Client{Timeout: timeout, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

type version struct {
	Tag        string   `json:"tag"`
	Images     []string `json:"images"`
	StateFiles []string `json:"state_files"`
}

var errNotFound = errors.New("not found")

// ask sends a request and gives the answer's body, errNotFound for HTTP 404.
func ask(ctx context.Context, method, url string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode == http.StatusNotFound:
		return nil, errNotFound
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s %s: HTTP %d: %s", method, url, resp.StatusCode, content)
	}
	return content, nil
}

// body asks for the body of the JSON envelope.
func body(ctx context.Context, url string, into any) error {
	content, err := ask(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, &struct {
		Body any `json:"body"`
	}{into})
}

// pushWhole uploads a version of two images and a state file, each named by
// its checksum, and then names it, as a client does.
func pushWhole(ctx context.Context, url, template, tag string) error {
	v := version{Tag: tag}
	for i, kind := range []string{"image", "image", "state_file"} {
		content := make([]byte, 1+rand.IntN(64<<10))
		for i := range content {
			content[i] = byte(rand.Uint32())
		}
		sum := sha256.Sum256(content)
		name := hex.EncodeToString(sum[:]) + ".ank"
		if _, err := ask(ctx, http.MethodPut, url+"/registry/v2/"+kind+"/"+name, content); err != nil {
			return err
		}
		if i < 2 {
			v.Images = append(v.Images, name)
		} else {
			v.StateFiles = append(v.StateFiles, name)
		}
	}
	named, err := json.Marshal(map[string]any{"id": template, "name": "vm-" + template, "version": v})
	if err != nil {
		return err
	}
	_, err = ask(ctx, http.MethodPost, url+"/registry/v2/vm", named)
	return err
}

// reader lists a registry again and again, as nodes do, downloads all layers
// of every tag that is new to it, and verifies them. What is a fault: a tag
// whose layers are not all there and whole, and one that went without having
// been deleted.
type reader struct {
	url     string
	deleted *sync.Map // templates that the test deletes

	looks    int
	verified map[string]bool // by template and tag
	fault    error
	end      func()
}

// reads starts a reader, which ends by end or with the test.
func reads(t *testing.T, url string, deleted *sync.Map) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &reader{url: url, deleted: deleted, verified: map[string]bool{}}
	done := make(chan struct{})
	r.end = func() { cancel(); <-done }
	t.Cleanup(r.end)
	go func() {
		defer close(done)
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for r.fault == nil {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if err := r.look(ctx); err != nil && ctx.Err() == nil {
				r.fault = err
			}
		}
	}()
	return r
}

func (r *reader) look(ctx context.Context) error {
	var templates []struct {
		ID string `json:"id"`
	}
	if err := body(ctx, r.url+"/registry/v2/vm", &templates); err != nil {
		return fmt.Errorf("list: %w", err)
	}
	r.looks++
	for _, template := range templates {
		versions, err := r.versions(ctx, template.ID)
		if err != nil {
			return err
		}
		listed := map[string]bool{}
		for _, v := range versions {
			key := template.ID + " " + v.Tag
			if listed[key] = true; r.verified[key] {
				continue
			}
			if err := r.verify(ctx, template.ID, v); err != nil {
				return err
			}
			r.verified[key] = true
		}
		if _, gone := r.deleted.Load(template.ID); gone {
			continue
		}
		for key := range r.verified {
			if id, _, _ := bytes.Cut([]byte(key), []byte(" ")); string(id) == template.ID && !listed[key] {
				return fmt.Errorf("%s was there and is no more", key)
			}
		}
	}
	return nil
}

// versions are none for a template that is not there.
func (r *reader) versions(ctx context.Context, template string) ([]version, error) {
	var found struct {
		Versions []version `json:"versions"`
	}
	err := body(ctx, r.url+"/registry/v2/vm?id="+template, &found)
	if errors.Is(err, errNotFound) {
		err = nil
	}
	return found.Versions, err
}

func (r *reader) verify(ctx context.Context, template string, v version) error {
	for kind, names := range map[string][]string{"image": v.Images, "state_file": v.StateFiles} {
		for _, name := range names {
			content, err := ask(ctx, http.MethodGet, r.url+"/registry/v2/"+kind+"/"+name, nil)
			if _, gone := r.deleted.Load(template); gone && errors.Is(err, errNotFound) {
				// Its metadata goes first, so it must not be listed any more.
				left, err := r.versions(ctx, template)
				if err != nil || len(left) > 0 {
					return fmt.Errorf("%s %s is deleted and listed without %s %s: %w", template, v.Tag, kind, name, err)
				}
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s %s names the %s %s: %w", template, v.Tag, kind, name, err)
			}
			if sum := sha256.Sum256(content); hex.EncodeToString(sum[:])+".ank" != name {
				return fmt.Errorf("%s %s: the %s %s has other content, of %d bytes", template, v.Tag, kind, name, len(content))
			}
		}
	}
	return nil
}
