package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/topology"
)

type raise struct{ to int }

func (r raise) String() string { return fmt.Sprintf("raise to %d", r.to) }
func (raise) Cause() string    { return "too low" }

// counter is a task that raises a number to a goal, one by one.
func counter(goal int, do func(context.Context, int) error) (Task[int], *int) {
	value := 0
	return Task[int]{
		Observe: func(context.Context) (int, error) { return value, nil },
		Next: func(observed int) (topology.Step, error) {
			if observed >= goal {
				return nil, nil
			}
			return raise{observed + 1}, nil
		},
		Do: func(ctx context.Context, step topology.Step, observed int) error {
			if err := do(ctx, observed); err != nil {
				return err
			}
			value = step.(raise).to
			return nil
		},
	}, &value
}

func fine(context.Context, int) error { return nil }

func TestRunLooksBeforeEveryStepAndAfterTheLast(t *testing.T) {
	task, _ := counter(3, fine)
	var told []string
	task.Log = func(_ context.Context, s topology.Step) { told = append(told, s.String()) }
	last, done, err := task.Run(t.Context())
	if last != 3 || len(done) != 3 || err != nil {
		t.Fatalf("last %d, %d steps, %v", last, len(done), err)
	}
	if want := []string{"raise to 1", "raise to 2", "raise to 3"}; !slices.Equal(told, want) {
		t.Errorf("told %v", told)
	}
}

func TestRunGoesOnWhereAnInterruptedRunEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	task, value := counter(5, func(_ context.Context, observed int) error {
		if observed == 1 {
			cancel()
		}
		return nil
	})
	if _, done, err := task.Run(ctx); !errors.Is(err, context.Canceled) || len(done) != 2 || *value != 2 {
		t.Fatalf("%d steps, value %d, %v", len(done), *value, err)
	}
	if _, done, err := task.Run(t.Context()); err != nil || len(done) != 3 {
		t.Fatalf("%d steps, %v", len(done), err)
	}
}

func TestRunTellsTheFailedStep(t *testing.T) {
	boom := errors.New("boom")
	task, _ := counter(3, func(_ context.Context, observed int) error {
		if observed == 1 {
			return boom
		}
		return nil
	})
	_, _, err := task.Run(t.Context())
	var failed *StepError
	if !errors.As(err, &failed) || !errors.Is(err, boom) || failed.Step.String() != "raise to 2" || len(failed.Done) != 1 {
		t.Fatalf("%v", err)
	}
}

func TestRunEndsWhenThePlannerNeverDoes(t *testing.T) {
	task, _ := counter(1, fine)
	task.Next = func(int) (topology.Step, error) { return raise{1}, nil }
	if _, _, err := task.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no end after 500 steps") {
		t.Fatalf("%v", err)
	}
}
