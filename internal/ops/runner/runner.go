// Package runner executes plans of the pure planners. It belongs to the layer
// ops: it looks, asks the planner for the one safe step, carries it out, and
// looks again, so that an interrupted apply needs no journal to go on and what
// was planned never runs on what is no longer true.
package runner

import (
	"context"
	"fmt"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
)

// maxSteps bounds a run. The largest legitimate change has a few steps per
// instance; a planner that never converges must end in an error, not in an
// endless apply.
const maxSteps = 500

// Task is one change of a topology. O is what its planner calls observed.
type Task[O any] struct {
	// Observe looks at the hosts. It is called before every step.
	Observe func(context.Context) (O, error)
	// Next is the planner: the one safe step, nil when nothing is left to do,
	// or an error that says why no safe step exists.
	Next func(O) (topology.Step, error)
	// Do carries out one step, against what was observed just before it.
	Do func(context.Context, topology.Step, O) error
	// Log, when set, is told each step before it is carried out.
	Log func(context.Context, topology.Step)
}

// StepError is a step that failed, with the steps that were carried out before
// it.
type StepError struct {
	Step topology.Step
	Done []topology.Step
	Err  error
}

// Error tells the failed step and the original error.
func (e *StepError) Error() string { return fmt.Sprintf("%s: %v", e.Step, e.Err) }

// Unwrap gives the original error.
func (e *StepError) Unwrap() error { return e.Err }

// Run carries out steps until the planner says that nothing is left. It
// returns the last observation, also beside an error, and the steps done. A
// cancelled context ends it between steps with the context's error; a step
// that fails ends it with a [StepError].
func (t Task[O]) Run(ctx context.Context) (O, []topology.Step, error) {
	var done []topology.Step
	var last O
	for range maxSteps {
		if err := ctx.Err(); err != nil {
			return last, done, err
		}
		observed, err := t.Observe(ctx)
		if err != nil {
			return last, done, err
		}
		last = observed
		step, err := t.Next(observed)
		if err != nil || step == nil {
			return last, done, err
		}
		if t.Log != nil {
			t.Log(ctx, step)
		}
		if err := t.Do(ctx, step, observed); err != nil {
			return last, done, &StepError{Step: step, Done: done, Err: err}
		}
		done = append(done, step)
	}
	return last, done, fmt.Errorf("no end after %d steps, the last one %q: this is a defect of the provider's planner; "+
		"nothing was rolled back, and applying again continues from here", maxSteps, done[len(done)-1])
}
