package rolloutops

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/ops/survey"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/container"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/service"
)

// probeTimeout bounds one question to one service.
const probeTimeout = 5 * time.Second

// probeAll asks every running replica on hosts whether it is ready. One that
// this run has started is asked no longer than it may take.
func (s *Service) probeAll(ctx context.Context, view *View, hosts []string) error {
	var running []string
	for _, r := range s.Desired.Replicas {
		status := view.Hosts[r.Host].Container.Status
		if slices.Contains(hosts, r.Host) && (status == container.Running || status == container.Restarting) {
			running = append(running, r.Host)
		}
	}
	var mu sync.Mutex
	// The errors are what the view is about.
	_ = survey.Each(ctx, running, func(ctx context.Context, name string) error {
		mu.Lock()
		found := view.Hosts[name].Container
		mu.Unlock()
		err := s.probeInTime(ctx, name, found)
		mu.Lock()
		defer mu.Unlock()
		host := view.Hosts[name]
		host.Ready = err == nil
		view.Hosts[name] = host
		if err != nil {
			view.NotReady[name] = err
		}
		return nil
	})
	return ctx.Err()
}

// probeInTime is [Service.probe], within what is left of the time in which a
// container that this run has started has to be ready.
func (s *Service) probeInTime(ctx context.Context, name string, found container.Found) error {
	if started, ok := s.start(name); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, s.deadline(started))
		defer cancel()
	}
	return s.probe(ctx, name, found)
}

// probe asks the service in a container on a host whether it is ready.
func (s *Service) probe(ctx context.Context, name string, found container.Found) error {
	if s.Probe != nil {
		host, err := s.Fleet.Host(name)
		if err != nil {
			return err
		}
		return s.Probe(ctx, host, found)
	}
	client, err := s.client(name, found)
	if err != nil {
		return err
	}
	return client.Ready(ctx, ankaapi.Service(s.Desired.Role))
}

// client returns the connection to the service in a container, made on first
// use. A container that was made of another configuration is asked where and
// how that one listens, and its certificate is the one it was made with.
func (s *Service) client(name string, found container.Found) (*ankaapi.Client, error) {
	host, err := s.Fleet.Host(name)
	if err != nil {
		return nil, err
	}
	r := s.replica(name)
	port, ok := published(r.Spec, found)
	if !ok {
		return nil, fmt.Errorf("container %s on %s publishes no port", found.Name, name)
	}
	address := host.Address()
	if port.HostIP != "" && port.HostIP != "0.0.0.0" && port.HostIP != "::" {
		address = port.HostIP
	}
	scheme := found.Labels[container.LabelScheme]
	if scheme == "" { // made by a version that did not say
		scheme = service.Scheme(r.Spec.Env)
	}
	cfg := ankaapi.Config{
		URL:  service.URL(scheme, address, port.HostPort),
		Dial: host.DialService, Credentials: s.Credentials, Timeout: probeTimeout,
	}
	if scheme == "https" {
		cfg.Pin = found.Pin()
	}
	key := name + " " + cfg.URL + " " + cfg.Pin
	s.mu.Lock()
	defer s.mu.Unlock()
	if client, made := s.clients[key]; made {
		return client, nil
	}
	client, err := ankaapi.New(cfg)
	if err != nil {
		return nil, err
	}
	if s.clients == nil {
		s.clients = map[string]*ankaapi.Client{}
	}
	s.clients[key] = client
	return client, nil
}

// published is where the service in found is reached: its own port, or while
// the daemon does not list that, because it does not run, the one of spec.
func published(spec container.Spec, found container.Found) (container.Port, bool) {
	if len(spec.Ports) == 0 {
		return container.Port{}, false
	}
	want := spec.Ports[0]
	at := slices.IndexFunc(found.Ports, func(p container.Port) bool { return p.ContainerPort == want.ContainerPort })
	if at < 0 || found.Hash() == spec.Labels[container.LabelHash] {
		return want, true
	}
	return found.Ports[at], true
}

// serverCert is the variable with the path of the service's certificate.
const serverCert = "ANKA_SERVER_CERT"

// told returns spec with labels that tell how the service in it is reached.
// They are outside its fingerprint: the certificate is not known to a plan.
func (s *Service) told(spec container.Spec) container.Spec {
	if s.Probe != nil {
		return spec
	}
	labels := maps.Clone(spec.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[container.LabelScheme] = service.Scheme(spec.Env)
	for _, f := range spec.Files {
		if pin := container.Fingerprint(f.Content); pin != "" && f.Path == spec.Env[serverCert] {
			labels[container.LabelCertificate] = pin
		}
	}
	spec.Labels = labels
	return spec
}
