package dockerhost

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errClosed is what a host answers after Close.
var errClosed = errors.New("the connection to this host was closed by the provider")

// shared is a value that is expensive to open and used by many: it is opened
// on first use, by one attempt that concurrent callers wait for together, and
// a failure is remembered for a while so that ten callers do not wait for ten
// timeouts.
type shared[T comparable] struct {
	// open is bounded by timeout and not by the context of the caller that
	// happened to come first.
	open    func(context.Context) (T, error)
	close   func(T)
	timeout time.Duration
	// remember is how long a failure is answered without a new attempt.
	remember time.Duration

	mu      sync.Mutex
	value   T
	ready   bool
	closed  bool
	pending *attempt
	err     error
	failed  time.Time
}

// attempt is one opening that is under way; err is set before done is closed.
type attempt struct {
	done chan struct{}
	err  error
}

// get gives the value, opening it when needed. When the caller's context ends
// first, the error is the context's.
func (s *shared[T]) get(ctx context.Context) (T, error) {
	var none T
	for {
		s.mu.Lock()
		switch {
		case s.closed:
			s.mu.Unlock()
			return none, errClosed
		case s.ready:
			defer s.mu.Unlock()
			return s.value, nil
		case s.err != nil && time.Since(s.failed) < s.remember:
			defer s.mu.Unlock()
			return none, s.err
		case ctx.Err() != nil:
			s.mu.Unlock()
			return none, ctx.Err()
		case s.pending == nil:
			s.pending = &attempt{done: make(chan struct{})}
			go s.run(context.WithoutCancel(ctx), s.pending)
		}
		pending := s.pending
		s.mu.Unlock()
		select {
		case <-pending.done:
			if pending.err != nil {
				return none, pending.err
			}
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
}

func (s *shared[T]) run(ctx context.Context, current *attempt) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	value, err := s.open(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(current.done)
	s.pending = nil
	switch {
	case err != nil:
		current.err = err
		s.err, s.failed = err, time.Now()
	case s.closed:
		s.close(value)
	default:
		s.value, s.ready, s.err = value, true, nil
	}
}

// drop closes the value so that the next get opens a new one. It does nothing
// when another has taken its place already.
func (s *shared[T]) drop(value T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready && s.value == value {
		var none T
		s.value, s.ready = none, false
		s.close(value)
	}
}

// shut closes the value for good.
func (s *shared[T]) shut() {
	s.mu.Lock()
	value, ready := s.value, s.ready
	s.ready, s.closed = false, true
	s.mu.Unlock()
	if ready {
		s.close(value)
	}
}
