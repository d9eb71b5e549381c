// Command docs generates the pages of docs/ from the provider's schema, the
// templates and the examples, and checks all of them. It needs no network: it
// reads the schema from the provider that was just built, through a terraform
// or tofu binary that is already there.
//
//	docs            write docs/
//	docs -check     change nothing; fail when docs/ has drifted
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

// address is where tfplugindocs looks for the provider in a schema file.
const address = "registry.terraform.io/hashicorp/anka"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	check := flag.Bool("check", false, "change nothing, and fail when docs/ is not what would be generated")
	root := flag.String("root", "../..", "the repository")
	tfplugindocs := flag.String("tfplugindocs", "bin/tfplugindocs", "the tfplugindocs binary")
	flag.Parse()
	err := run(ctx, *root, *tfplugindocs, *check)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, tfplugindocs string, check bool) (err error) {
	if root, err = filepath.Abs(root); err != nil {
		return err
	}
	if tfplugindocs, err = filepath.Abs(tfplugindocs); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "anka-docs-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	cli, err := newCLI(ctx, root, work)
	if err != nil {
		return err
	}
	schema := filepath.Join(work, "schema.json")
	if err := cli.writeSchema(ctx, schema); err != nil {
		return err
	}
	if err := cli.validateExamples(ctx, filepath.Join(root, "examples")); err != nil {
		return err
	}
	rendered := filepath.Join(root, "docs")
	if check {
		rendered = filepath.Join(work, "docs")
	}
	if err := render(ctx, tfplugindocs, renderJob{root: root, schema: schema, into: rendered}); err != nil {
		return err
	}
	if check {
		return compare(filepath.Join(root, "docs"), rendered)
	}
	return nil
}

type renderJob struct {
	root, schema, into string
}

// render writes the pages. tfplugindocs takes its output directory relative to
// the provider, so that is how it is given.
func render(ctx context.Context, tfplugindocs string, job renderJob) error {
	into, err := filepath.Rel(job.root, job.into)
	if err != nil {
		return err
	}
	for _, arguments := range [][]string{
		{"generate", "--rendered-website-dir", into},
		{"validate"},
	} {
		if arguments[0] == "validate" && job.into != filepath.Join(job.root, "docs") {
			// It validates the directory docs of the provider and no other.
			continue
		}
		arguments = append(arguments,
			"--provider-name", "anka", "--provider-dir", job.root, "--providers-schema", job.schema)
		command := exec.CommandContext(ctx, tfplugindocs, arguments...)
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("tfplugindocs %s: %w\n%s", arguments[0], err, output)
		}
	}
	return nil
}
