// Command ankasim is the lab's stand-in for the Anka controller and registry,
// which are proprietary and cannot be had there. Its only argument is the role,
// everything else is the documented ANKA_* environment. It exits 1 on a bad
// environment and when etcd, certificates or an address cannot be used.
package main

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/controller"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/glog"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/registry"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/serve"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

const (
	exitFailure = 1
	exitUsage   = 2
	// memoryLimit keeps nine hosts' worth of stand-ins small, in bytes.
	memoryLimit = 64 << 20
)

func main() {
	debug.SetMemoryLimit(memoryLimit)
	os.Exit(run(os.Args[1:], settings.FromOS(os.Environ()), glog.New(os.Stderr, time.Now)))
}

var errToldToExit = errors.New("told to exit by ANKASIM_EXIT")

func run(args []string, env settings.Environment, log *glog.Logger) int {
	roles := map[string]func(context.Context, settings.Environment, *glog.Logger) (settings.Faults, error){
		"controller": runController,
		"registry":   runRegistry,
	}
	if len(args) != 1 || roles[args[0]] == nil {
		log.Fatalf("usage: ankasim controller|registry")
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	faults, err := roles[args[0]](ctx, env, log)
	switch {
	case errors.Is(err, errToldToExit):
		log.Fatalf("%s: %v", args[0], err)
		return faults.ExitCode
	case err != nil:
		log.Fatalf("%s: %v", args[0], err)
		return exitFailure
	}
	log.Infof("%s ended", args[0])
	return 0
}

func runController(ctx context.Context, env settings.Environment, log *glog.Logger) (settings.Faults, error) {
	s, err := settings.ReadController(env)
	if err != nil {
		return s.Server.Faults, err
	}
	faults := s.Server.Faults.Only(s.Registry, there)
	s.Server.Faults = faults
	log.Infof("stand-in controller %s, registry %q, etcd %v", faults.Version, s.Registry, s.Etcd.Endpoints)
	logEnvironment(log, s.Server)
	return faults, withFaults(ctx, faults, func(ctx context.Context) error {
		// Before etcd is waited for, as waiting does not cure a bad certificate.
		if err := controller.Check(s); err != nil {
			return err
		}
		store, err := controller.OpenEtcd(ctx, s.Etcd)
		if err != nil {
			return err
		}
		defer func() { _ = store.Close() }()
		return serve.Run(ctx, controller.New(s, store, log))
	})
}

func runRegistry(ctx context.Context, env settings.Environment, log *glog.Logger) (settings.Faults, error) {
	s, err := settings.ReadRegistry(env)
	if err != nil {
		return s.Server.Faults, err
	}
	faults := s.Server.Faults.Only("", there)
	s.Server.Faults = faults
	log.Infof("stand-in registry %s, storage %s", faults.Version, s.BaseDir)
	logEnvironment(log, s.Server)
	return faults, withFaults(ctx, faults, func(ctx context.Context) error {
		storage, err := registry.OpenStorage(ctx, s)
		if err != nil {
			return err
		}
		return serve.Run(ctx, registry.New(s, storage, log))
	})
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// logEnvironment says which variables the reference does not have. Only the
// fault that stands for a careless image shows values.
func logEnvironment(log *glog.Logger, s settings.Server) {
	for _, name := range s.Unknown {
		log.Warningf("ignored: the reference has no variable %s", name)
	}
	if !s.Faults.LogEnv {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		log.Infof("%s=%s", name, s.Environment[name])
	}
}

// farAway is longer than anybody waits for a process to end.
const farAway = 24 * time.Hour

// withFaults runs serve, which it ends early where ANKASIM_EXIT asks for that,
// and after which it hangs where ANKASIM_NEVER_ENDS does.
func withFaults(ctx context.Context, f settings.Faults, serve func(context.Context) error) error {
	if f.NeverEnds {
		defer func() { <-time.After(farAway) }()
	}
	if !f.Exit {
		return serve(ctx)
	}
	if f.ExitDelay == 0 {
		return errToldToExit
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.ExitDelay, errToldToExit)
	defer cancel()
	err := serve(ctx)
	if errors.Is(context.Cause(ctx), errToldToExit) {
		return errToldToExit
	}
	return err
}
