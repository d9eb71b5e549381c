package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// cleanUp bounds what is done after the measurements, also after an interrupt.
const cleanUp = 3 * time.Minute

// session is what the benchmarks of one run share. All of it goes with close.
type session struct {
	// rounds is how often each side of a ratio is measured.
	rounds int
	// dir is a folder of this run alone.
	dir string
	// labs are those that were made so far, by name.
	labs map[string]*testlab.Lab
}

// newSession builds the provider as a release has it.
func newSession(ctx context.Context, rounds int) (*session, error) {
	// Better missed now than after a lab was made.
	if _, err := tfcli.Find(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "anka-bench-")
	if err != nil {
		return nil, err
	}
	s := &session{rounds: rounds, dir: dir, labs: map[string]*testlab.Lab{}}
	step("The provider")
	if err := os.Mkdir(s.plugins(), 0o700); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	if err := tfcli.BuildProvider(ctx, s.plugins()); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	return s, nil
}

func (s *session) plugins() string { return filepath.Join(s.dir, "plugins") }

// lab returns the lab of that name, which is made on first use.
func (s *session) lab(ctx context.Context, name string, hosts int) (*testlab.Lab, error) {
	if made, ok := s.labs[name]; ok {
		return made, nil
	}
	progress("a lab of %d hosts", hosts)
	lab, err := testlab.Up(ctx, testlab.Options{Name: name, Hosts: hosts, Log: progress})
	if err != nil {
		return nil, err
	}
	s.labs[name] = lab
	return lab, nil
}

// workspace makes an empty folder of that name for a configuration.
func (s *session) workspace(name string) (*tfcli.Workspace, error) {
	dir := filepath.Join(s.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return tfcli.New(dir, s.plugins())
}

// close takes all labs down and removes the files. Nothing is destroyed by
// Terraform before: the hosts go with everything on them.
func (s *session) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	var failed error
	for name, lab := range s.labs {
		failed = errors.Join(failed, lab.Down(ctx))
		left, err := testlab.Leftovers(ctx, name)
		failed = errors.Join(failed, err)
		if len(left) > 0 {
			failed = errors.Join(failed, fmt.Errorf("lab %s is down, but this is left of it:\n  %s", name, strings.Join(left, "\n  ")))
		}
	}
	return errors.Join(failed, os.RemoveAll(s.dir))
}
