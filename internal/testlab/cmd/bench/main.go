// Command bench measures the provider on a lab of its own and prints ratios
// whose two sides were taken in the same run, each with its target.
//
//	bench [-rounds 7] [-run pattern]
//
// Layer: a command of the test lab; nothing imports it. A benchmark is one
// file with a variable of type benchmark, named in the list below. What falls
// short of its target is printed and is no failure: the exit code is 0 unless
// something breaks.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

// benchmarks run in this order: those that are disturbed by a larger lab come
// before the ones that make it.
var benchmarks = []benchmark{applyBenchmark, scaleBenchmark, upgradeBenchmark, planBenchmark, replicateBenchmark}

// benchmark measures one promise.
type benchmark struct {
	// name is what -run matches.
	name string
	// about is one line that says what is measured.
	about string
	// note is printed below the table.
	note string
	// run measures and returns the lines of the final table, those it has
	// also beside an error.
	run func(context.Context, *session) ([]row, error)
}

// deadline bounds the whole run. A first run builds etcd, which takes minutes
// on a small machine.
const deadline = time.Hour

// minimumRounds is the least that a median and a spread are worth printing of.
const minimumRounds = 3

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, deadline)
	err := run(ctx, os.Args[1:])
	cancel()
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	rounds := flags.Int("rounds", 7, "how often each side of a ratio is measured")
	pattern := flags.String("run", ".", "regular expression: only benchmarks whose name matches")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	chosen, err := choose(*pattern)
	if err != nil {
		return err
	}
	if *rounds < minimumRounds {
		return fmt.Errorf("%d rounds: want at least %d, for a median and a spread", *rounds, minimumRounds)
	}
	began := time.Now()
	s, err := newSession(ctx, *rounds)
	if err != nil {
		return err
	}
	var rows []row
	for _, one := range chosen {
		step(one.name + ": " + one.about)
		more, failure := one.run(ctx, s)
		rows = append(rows, more...)
		if failure != nil {
			err = fmt.Errorf("%s: %w", one.name, failure)
			break
		}
	}
	err = errors.Join(err, s.close(ctx))
	if len(rows) > 0 {
		step(fmt.Sprintf("Results of %d rounds each, median (minimum–maximum), after %s", *rounds, time.Since(began).Round(time.Second)))
		err = errors.Join(err, write(os.Stdout, rows))
		printed := map[string]bool{"": true}
		for _, one := range chosen {
			if !printed[one.note] {
				printed[one.note] = true // benchmarks may share one
				fmt.Printf("\n%s\n", one.note)
			}
		}
	}
	return err
}

func choose(pattern string) ([]benchmark, error) {
	wanted, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	var chosen []benchmark
	var names []string
	for _, one := range benchmarks {
		names = append(names, one.name)
		if wanted.MatchString(one.name) {
			chosen = append(chosen, one)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-run %s matches none of %v", pattern, names)
	}
	return chosen, nil
}

func step(text string) { fmt.Printf("\n=== %s\n", text) }

func progress(format string, values ...any) { fmt.Printf("    "+format+"\n", values...) }
