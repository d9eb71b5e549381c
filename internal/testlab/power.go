package testlab

import (
	"context"
	"errors"
	"fmt"
)

// PowerOff pulls the plug: every process on the host, its containers among them, is killed at once. The disk stays.
// Nil when it is off already.
func (h *Host) PowerOff(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	running := h.current()
	if running == nil {
		return nil
	}
	if err := running.kill(ctx); err != nil {
		return fmt.Errorf("host %s: power off: %w", h.Name, err)
	}
	running.release()
	h.setFirst(nil)
	return h.lab.save()
}

// PowerOn boots the host from its disk and returns when its daemons answer; containers come back as their restart
// policies say. Nil when it is on already.
func (h *Host) PowerOn(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if running := h.current(); running != nil && running.Alive() {
		return nil
	}
	// The same file behind two loop devices would be two file systems writing to one disk.
	err := poll(ctx, "the disk of "+h.Name+" to be released", func() (bool, error) {
		left, err := loopDevices(h.dir())
		return err == nil && len(left) == 0, err
	})
	if err == nil {
		err = h.boot(ctx)
	}
	if booted := h.current(); err == nil && h.lab.detached() {
		err = booted.keep()
	}
	if err != nil {
		return fmt.Errorf("host %s: power on: %w", h.Name, errors.Join(err, h.lab.save()))
	}
	return h.lab.save()
}

func (l *Lab) detached() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept
}
