// Package glog is part of the lab's stand-in for the Anka controller and
// registry: log lines in the shape of glog, which the real ones write, to one
// writer. It knows nothing about what is logged; callers keep secrets out.
package glog

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Logger writes one line per call. It is safe for concurrent use.
type Logger struct {
	mu  sync.Mutex
	out io.Writer
	now func() time.Time
}

// New returns a logger that stamps lines with now and writes them to out.
func New(out io.Writer, now func() time.Time) *Logger {
	return &Logger{out: out, now: now}
}

// Infof logs normal operation.
func (l *Logger) Infof(format string, args ...any) { l.line('I', format, args) }

// Warningf logs something odd that does not stop the service.
func (l *Logger) Warningf(format string, args ...any) { l.line('W', format, args) }

// Errorf logs a failed operation.
func (l *Logger) Errorf(format string, args ...any) { l.line('E', format, args) }

// Fatalf logs what ends the process. It returns: ending is up to main.
func (l *Logger) Fatalf(format string, args ...any) { l.line('F', format, args) }

func (l *Logger) line(severity byte, format string, args []any) {
	// Two frames up is the code that called Infof and the like.
	_, file, number, _ := runtime.Caller(2)
	header := fmt.Sprintf("%c%s %7d %s:%d] ", severity, l.now().Format("0102 15:04:05.000000"),
		os.Getpid(), filepath.Base(file), number)
	l.mu.Lock()
	defer l.mu.Unlock()
	// A log that cannot be written must not stop the service.
	_, _ = fmt.Fprintf(l.out, header+format+"\n", args...)
}
