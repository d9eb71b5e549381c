package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asCommand makes the test binary behave as ankasim itself.
const asCommand = "TEST_RUN_AS_ANKASIM"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is a started command whose output can be read while it runs.
type process struct {
	t       *testing.T
	command *exec.Cmd
	output  *safeBuffer
	ended   chan struct{}
}

type safeBuffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

// startProcess runs command and kills it when the test ends.
func startProcess(t *testing.T, command *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, command: command, output: &safeBuffer{}, ended: make(chan struct{})}
	command.Stdout, command.Stderr = p.output, p.output
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		// How it ended is read from ProcessState.
		_ = command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("%s:\n%s", command.Args[0], p.output)
		}
	})
	return p
}

// ankasim runs the stand-in with exactly this environment.
func ankasim(t *testing.T, role string, env ...string) *process {
	t.Helper()
	command := exec.Command(os.Args[0], role)
	command.Env = append(env, asCommand+"=1")
	return startProcess(t, command)
}

// exitCode waits for the end.
func (p *process) exitCode() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.command.ProcessState.ExitCode()
	case <-time.After(30 * time.Second):
		p.t.Fatalf("still running after 30s:\n%s", p.output)
		return -1
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wantFatal checks that the log ends with a fatal line that says all of texts.
func (p *process) wantFatal(texts ...string) {
	p.t.Helper()
	lines := strings.Split(strings.TrimSpace(p.output.String()), "\n")
	fatal := strings.Join(lines, "\n")
	if i := strings.LastIndex(fatal, "\nF"); i >= 0 {
		fatal = fatal[i+1:]
	}
	if !strings.HasPrefix(fatal, "F") {
		p.t.Errorf("no fatal line in\n%s", p.output)
	}
	for _, text := range texts {
		if !strings.Contains(fatal, text) {
			p.t.Errorf("the fatal line does not say %q: %s", text, fatal)
		}
	}
}

// waitFor asks url until it answers with code, and returns the body.
func (p *process) waitFor(client *http.Client, code int, url string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last string
	for {
		got, body, err := fetch(ctx, client, http.MethodGet, url, "")
		switch {
		case err != nil:
			last = err.Error()
		case got == code:
			return body
		default:
			last = body
		}
		select {
		case <-ctx.Done():
			p.t.Fatalf("%s did not answer %d within 30s, last: %s\n%s", url, code, last, p.output)
		case <-p.ended:
			p.t.Fatalf("ended before %s answered %d:\n%s", url, code, p.output)
		case <-tick.C:
		}
	}
}

func fetch(ctx context.Context, client *http.Client, method, url, body string) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, string(data), err
}
