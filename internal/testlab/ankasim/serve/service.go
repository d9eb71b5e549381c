// Package serve is part of the lab's stand-in for the Anka controller and
// registry: the HTTP listener both share, with HTTPS, authentication, health
// probes, metrics, access logs and graceful shutdown. What is served is given
// as a Service; this package knows no endpoint of the Anka API.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/glog"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
)

// Service is one stand-in, ready to be served, or a further interface of one.
type Service struct {
	Settings    settings.Server
	Log         *glog.Logger
	Credentials []Authenticator                 // kinds of credentials beside root token and client certificate
	Open        *http.ServeMux                  // routes that need no credentials
	Protected   *http.ServeMux                  // routes that need them when authentication is on
	Ready       func(ctx context.Context) error // asked by every GET /readyz
	Also        []Service                       // further interfaces with addresses of their own, without metrics
}

// Run serves until ctx ends and then lets requests in flight finish within the
// graceful shutdown timeout. It returns an error when certificates cannot be
// loaded, an address cannot be listened on, or the shutdown runs out of time.
func Run(ctx context.Context, s Service) error {
	metrics := newMetrics()
	var servers []*http.Server
	for _, face := range append([]Service{s}, s.Also...) {
		tlsConfig, err := TLSConfig(face.Settings.TLS, face.Settings.Auth)
		if err != nil {
			return err
		}
		servers = append(servers, &http.Server{
			Addr: face.Settings.ListenAddr, Handler: metrics.count(Handler(face)), TLSConfig: tlsConfig,
			ReadHeaderTimeout: 10 * time.Second, ErrorLog: s.errorLog(),
		})
	}
	if s.Settings.Metrics.Enabled {
		mux := http.NewServeMux()
		mux.Handle("GET "+s.Settings.Metrics.Path, metrics.handler())
		servers = append(servers, &http.Server{
			Addr: net.JoinHostPort("", strconv.Itoa(s.Settings.Metrics.Port)), Handler: mux,
			ReadHeaderTimeout: 10 * time.Second, ErrorLog: s.errorLog(),
		})
	}
	var listen net.ListenConfig
	var listeners []net.Listener
	for _, server := range servers {
		listener, err := listen.Listen(ctx, "tcp", server.Addr)
		if err != nil {
			for _, opened := range listeners {
				_ = opened.Close()
			}
			return fmt.Errorf("cannot listen on %s: %w", server.Addr, err)
		}
		listeners = append(listeners, listener)
	}

	failed := make(chan error, len(servers))
	for i, server := range servers {
		scheme := "http"
		if server.TLSConfig != nil {
			scheme = "https"
		}
		s.Log.Infof("serving %s on %s", scheme, listeners[i].Addr())
		go func() {
			if server.TLSConfig != nil {
				failed <- server.ServeTLS(listeners[i], "", "")
				return
			}
			failed <- server.Serve(listeners[i])
		}()
	}
	var err error
	select {
	case err = <-failed:
		err = fmt.Errorf("server ended by itself: %w", err)
	case <-ctx.Done():
		s.Log.Infof("shutting down, waiting up to %s for requests in flight", s.Settings.GracefulShutdown)
	}
	return errors.Join(err, shutdown(ctx, servers, s.Settings.GracefulShutdown))
}

func shutdown(ended context.Context, servers []*http.Server, within time.Duration) error {
	// The context that ended the service is over; the grace period is its own.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ended), within)
	defer cancel()
	errs := make(chan error, len(servers))
	// All at once, as each waits for its own requests before it returns.
	for _, server := range servers {
		go func() {
			err := server.Shutdown(ctx)
			if err != nil {
				err = fmt.Errorf("requests still in flight on %s after %s were cut off: %w", server.Addr, within, err)
				_ = server.Close()
			}
			errs <- err
		}()
	}
	var all []error
	for range servers {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// Handler joins probes, open and protected routes. Anything that is neither a
// probe nor open needs credentials, unknown paths included.
func Handler(s Service) http.Handler {
	mux := s.Open
	requests := newRequests()
	if s.Settings.Faults.HasProbes() {
		mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
		mux.HandleFunc("GET /readyz", readyz(s))
	}
	mux.HandleFunc("GET /ankasim/env", reportEnvironment(s.Settings.Environment))
	mux.HandleFunc("GET /ankasim/files", reportFiles(s.Settings.Environment))
	mux.HandleFunc("GET /ankasim/requests", requests.report)
	mux.Handle("/", requireCredentials(authenticators(s.Settings.Auth, s.Credentials), s.Protected))
	handler := requests.count(mux)
	if s.Settings.AllowCORS {
		handler = allowCORS(handler)
	}
	if s.Settings.AccessLogs {
		handler = accessLog(s.Log, handler)
	}
	return handler
}

func readyz(s Service) http.HandlerFunc {
	start := time.Now()
	var wasReady atomic.Bool
	return func(w http.ResponseWriter, r *http.Request) {
		faults := s.Settings.Faults
		var err error
		switch {
		case faults.ReadyHang:
			<-r.Context().Done()
			return
		case faults.NeverReady:
			err = errors.New("told never to become ready")
		case time.Since(start) < faults.ReadyDelay:
			err = errors.New("starting")
		default:
			err = s.Ready(r.Context())
		}
		ready := err == nil
		if wasReady.Swap(ready) != ready {
			s.Log.Infof("readiness is now %t: %v", ready, err)
		}
		if !ready {
			plain(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
			return
		}
		plain(w, http.StatusOK, "ok")
	}
}
