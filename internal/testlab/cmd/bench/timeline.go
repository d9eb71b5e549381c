package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// timeline is when an apply reached what, measured from the start of its
// process; 0 is never.
type timeline struct {
	began time.Time
	// planned: the plan is complete.
	planned time.Duration
	// started: the last resource began to be created.
	started time.Duration
	// completed: the last resource was created.
	completed time.Duration
	// ended: the process has ended.
	ended time.Duration
}

// event is what is used of a line of terraform's machine-readable output.
type event struct {
	Type    string `json:"type"`
	Changes struct {
		Operation string `json:"operation"`
	} `json:"changes"`
}

// note enters an event that was seen at a time.
func (t *timeline) note(line []byte, at time.Duration) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		return
	}
	switch e.Type {
	case "change_summary":
		if e.Changes.Operation == "plan" {
			t.planned = at
		}
	case "apply_start":
		t.started = at
	case "apply_complete":
		t.completed = at
	}
}

// timedApply applies and notes the times at which terraform tells its
// progress, by this process's clock.
func timedApply(ctx context.Context, workspace *tfcli.Workspace) (timeline, error) {
	var t timeline
	command := workspace.Command(ctx, "apply", "-json", "-auto-approve", "-input=false")
	var problems bytes.Buffer
	command.Stderr = &problems
	output, err := command.StdoutPipe()
	if err != nil {
		return t, err
	}
	t.began = time.Now()
	if err := command.Start(); err != nil {
		return t, err
	}
	said := t.read(output)
	err = command.Wait()
	t.ended = time.Since(t.began)
	if err != nil {
		return t, fmt.Errorf("terraform apply: %w\n%s%s", err, said, problems.String())
	}
	return t, nil
}

// read notes all events and returns them as text.
func (t *timeline) read(output io.Reader) string {
	var said strings.Builder
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadBytes('\n')
		t.note(line, time.Since(t.began))
		said.Write(line)
		if err != nil {
			return said.String()
		}
	}
}

// slug is a name for a file.
func slug(text string) string {
	return strings.NewReplacer(", ", "-", " ", "-", "'", "").Replace(text)
}
