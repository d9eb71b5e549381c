package rolloutops

import (
	"context"
	"errors"
	"fmt"

	"github.com/anka-ha/terraform-provider-anka/internal/ops/runner"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/rollout"
)

// Destroy carries out the steps of [rollout.NextDestroy] until nothing is left
// of the service; with purge, also nothing of the volumes that it uses. It
// tells where data stays, see [rollout.Kept]. As long as a host does not
// answer, nothing is removed: the error wraps a [*rollout.UnreachableError].
func (s *Service) Destroy(ctx context.Context, purge bool) (left []string, err error) {
	var view View
	task := runner.Task[rollout.Observed]{
		Observe: func(ctx context.Context) (rollout.Observed, error) {
			var err error
			// Whether it is ready makes no difference any more.
			if view, err = s.look(ctx, s.hosts()); err != nil || len(view.Silent) > 0 || !s.keepsData() {
				return view.Observed, err
			}
			err = s.listVolumes(ctx, s.hosts())
			s.addVolumes(&view)
			return view.Observed, err
		},
		Next: func(o rollout.Observed) (topology.Step, error) { return rollout.NextDestroy(s.Desired, o, purge) },
		Do:   s.do,
		Log:  s.Log,
	}
	last, done, err := task.Run(ctx)
	var failed *runner.StepError
	if err == nil || errors.As(err, &failed) {
		return rollout.Kept(s.Desired, last), err
	}
	for _, host := range view.SilentHosts() {
		err = fmt.Errorf("%w\n\n%w", err, view.Silent[host])
	}
	return nil, progress(done, err)
}
