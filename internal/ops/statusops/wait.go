package statusops

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// DefaultWait is how long a wait lasts at most when none says otherwise.
const DefaultWait = 5 * time.Minute

// waitInterval is between the end of one question and the next while waiting.
const waitInterval = 500 * time.Millisecond

// Wait is what to wait for.
type Wait struct {
	// Ready: until the controller is ready to serve.
	Ready bool
	// RegistryRunning: until it reaches its registry.
	RegistryRunning bool
	// Timeout is how long at most; 0 means [DefaultWait].
	Timeout time.Duration
}

// String names what is waited for.
func (w Wait) String() string {
	var all []string
	if w.Ready {
		all = append(all, "the controller to be ready")
	}
	if w.RegistryRunning {
		all = append(all, "its registry to be running")
	}
	if len(all) == 0 {
		return "the controller to answer"
	}
	return strings.Join(all, " and ")
}

// WaitError is a wait that did not end well.
type WaitError struct {
	URL  string
	Wait Wait
	// Asked is how many times.
	Asked int
	// Last is what was found out last, in words.
	Last string
	// Err is the last error, nil when the controller answered.
	Err error
}

// Error tells what was waited for, how long, and the last answer.
func (e *WaitError) Error() string {
	text := fmt.Sprintf("%s: waited %s for %s, and asked %d times; at last %s. Look at the logs of the controller's container, "+
		"or give it more time with wait_for.timeout", e.URL, e.Wait.Timeout, e.Wait, e.Asked, e.Last)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the last error.
func (e *WaitError) Unwrap() error { return e.Err }

// wait asks until what is wanted is the case.
func (q Question) wait(ctx context.Context, client *ankaapi.Client) (Answer, error) {
	w := *q.Wait
	if w.Timeout <= 0 {
		w.Timeout = DefaultWait
	}
	waiting, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	ticker := time.NewTicker(waitInterval)
	defer ticker.Stop()
	// While waiting, silence is an error here, and whether it ends the wait is
	// decided below.
	strict := q
	strict.AllowUnreachable = false
	late := &WaitError{URL: q.URL, Wait: w, Last: "there was no answer"}
	var last Answer
	for {
		answer, err := strict.once(waiting, client)
		// A request that the end of the wait cut off tells nothing.
		cutOff := waiting.Err() != nil && late.Asked > 0
		if !cutOff {
			late.Asked++
		}
		switch {
		case err == nil && w.fulfilled(answer):
			return answer, nil
		case ctx.Err() != nil:
			return Answer{}, fmt.Errorf("%s: the wait for %s was cancelled: %w", q.URL, w, ctx.Err())
		case cutOff:
		case err == nil:
			last, late.Last, late.Err = answer, w.lacks(answer), answer.unready
		case passing(err):
			last, late.Last, late.Err = Answer{Reachable: reached(err)}, "there was no status", err
		case q.AllowUnreachable && tolerable(err):
			return Answer{Failure: err.Error(), Reachable: reached(err)}, nil
		default:
			return Answer{}, err
		}
		select {
		case <-ticker.C:
		case <-waiting.Done():
			if ctx.Err() == nil && q.AllowUnreachable {
				last.Failure = late.Error()
				return last, nil
			}
			if ctx.Err() == nil {
				return Answer{}, late
			}
		}
	}
}

func (w Wait) fulfilled(a Answer) bool {
	return (!w.Ready || a.Ready) && (!w.RegistryRunning || a.Status.RegistryStatus == running)
}

// running is the status of a registry that a controller reaches.
const running = "Running"

// lacks says in which state the controller is instead.
func (w Wait) lacks(a Answer) string {
	registry := a.Status.RegistryStatus
	if registry == "" {
		registry = "unknown"
	}
	ready := "was ready"
	if !a.Ready {
		ready = "was not ready"
	}
	return fmt.Sprintf("its status was %s, it %s, and the status of its registry %s was %s", a.Status.Status, ready, a.Status.RegistryAddress, registry)
}

// passing reports whether err can pass by itself while a controller starts.
// Credentials that are refused, a certificate that does not fit, or something
// else at the URL will be the same a minute later.
func passing(err error) bool {
	var host *dockerhost.UnreachableError
	if errors.As(err, &host) && host.Reason != "" {
		return false
	}
	return ankaapi.Is(err, ankaapi.Unreachable, ankaapi.Timeout, ankaapi.Failed)
}
