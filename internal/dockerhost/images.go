package dockerhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
)

// HasImage reports whether the host has an image.
func (h *Host) HasImage(ctx context.Context, ref string) (bool, error) {
	has := false
	err := h.call(ctx, request{"look for image " + ref, h.callTimeout}, func(ctx context.Context, s *session) error {
		_, err := s.api.ImageInspect(ctx, ref)
		has = err == nil
		if errdefs.IsNotFound(err) {
			return nil
		}
		return err
	})
	return has, err
}

// PullImage makes sure that the host has an image: one that is there is left
// as it is, any other is pulled with the credentials of its registry. It
// returns when the image is complete, and is bounded by the caller's context
// only, because images may be large. Errors are [*ImageError] among others.
func (h *Host) PullImage(ctx context.Context, ref string) error {
	has, err := h.HasImage(ctx, ref)
	if err != nil || has {
		return err
	}
	auth, err := h.registryAuth(ref)
	if err != nil {
		return &ImageError{Host: h.cfg.Name, Image: ref, Err: err}
	}
	return h.call(ctx, request{"pull image " + ref, 0}, func(ctx context.Context, s *session) error {
		stream, err := s.api.ImagePull(ctx, ref, image.PullOptions{RegistryAuth: auth})
		if err == nil {
			err = drainPull(stream)
			_ = stream.Close()
		}
		if err != nil && !broken(err) && ctx.Err() == nil {
			return &ImageError{Host: h.cfg.Name, Image: ref, Err: err}
		}
		return err
	})
}

// drainPull reads the progress of a pull to its end. Failures come inside the
// stream, after the status 200.
func drainPull(stream io.Reader) error {
	decoder := json.NewDecoder(stream)
	for {
		var message struct {
			Error string `json:"error"`
		}
		err := decoder.Decode(&message)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading the progress of the pull: %w", err)
		case message.Error != "":
			return errors.New(message.Error)
		}
	}
}

// registryAuth is the header with the credentials for the registry of ref, ""
// when none are configured.
func (h *Host) registryAuth(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", fmt.Errorf("not an image reference: %w", err)
	}
	domain := reference.Domain(named)
	for host, auth := range h.cfg.RegistryAuth {
		if NormalizeRegistry(host) == domain {
			return registry.EncodeAuthConfig(registry.AuthConfig{Username: auth.Username, Password: auth.Password, ServerAddress: domain})
		}
	}
	return "", nil
}

// NormalizeRegistry reduces the ways to write a registry to the host that
// image references have: without scheme and path, and docker.io for all names
// of Docker Hub.
func NormalizeRegistry(host string) string {
	host = strings.TrimPrefix(strings.TrimPrefix(host, "https://"), "http://")
	host, _, _ = strings.Cut(host, "/")
	switch host {
	case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com":
		return "docker.io"
	}
	return host
}
