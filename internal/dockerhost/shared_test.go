package dockerhost

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestShared_isOpenedOnceAndAgainAfterADrop(t *testing.T) {
	var opened, closed atomic.Int64
	s := &shared[int64]{
		open:    func(context.Context) (int64, error) { return opened.Add(1), nil },
		close:   func(int64) { closed.Add(1) },
		timeout: time.Minute, remember: time.Minute,
	}
	ctx := testContext(t)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if v, err := s.get(ctx); v != 1 || err != nil {
				t.Error(v, err)
			}
		})
	}
	wg.Wait()
	s.drop(7)
	if v, _ := s.get(ctx); v != 1 {
		t.Errorf("dropping another value opened number %d", v)
	}
	s.drop(1)
	if v, _ := s.get(ctx); v != 2 || closed.Load() != 1 {
		t.Errorf("after the drop: number %d, %d closed", v, closed.Load())
	}
	s.shut()
	if _, err := s.get(ctx); !errors.Is(err, errClosed) || closed.Load() != 2 {
		t.Errorf("after shut: %v, %d closed", err, closed.Load())
	}
}

func TestShared_remembersAFailureForAWhile(t *testing.T) {
	var opened atomic.Int64
	s := &shared[int64]{
		open: func(context.Context) (int64, error) {
			return 0, errors.Join(errors.New("no"), errors.New(time.Duration(opened.Add(1)).String()))
		},
		timeout: time.Minute, remember: time.Minute,
	}
	for range 3 {
		if _, err := s.get(testContext(t)); err == nil || opened.Load() != 1 {
			t.Fatalf("%v after %d attempts", err, opened.Load())
		}
	}
	s.remember = 0
	if _, err := s.get(testContext(t)); err == nil || opened.Load() != 2 {
		t.Errorf("%v after %d attempts", err, opened.Load())
	}
}

func TestShared_oneCallersCancellationIsNotTheOthers(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	s := &shared[int64]{
		open: func(ctx context.Context) (int64, error) {
			close(started)
			select {
			case <-release:
				return 1, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		},
		close: func(int64) {}, timeout: time.Minute, remember: time.Minute,
	}
	cancelled, cancel := context.WithCancel(context.Background())
	first := make(chan error)
	go func() {
		_, err := s.get(cancelled)
		first <- err
	}()
	<-started
	ctx := testContext(t)
	second := make(chan error)
	go func() {
		_, err := s.get(ctx)
		second <- err
	}()
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
	if err := <-second; err != nil {
		t.Error(err)
	}
}
