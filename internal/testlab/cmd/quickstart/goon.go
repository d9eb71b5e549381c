package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

// daemon is a host of the lab for the docker command.
type daemon struct{ name, url string }

func daemonsOf(lab *testlab.Lab) []daemon {
	var all []daemon
	for _, host := range lab.Hosts {
		all = append(all, daemon{host.Name, host.UnixURL()})
	}
	return all
}

// goOn are the commands with which a newcomer goes on, to be copied to a
// shell: look around, break something, and see it repaired.
func goOn(workspace *tfcli.Workspace, daemons []daemon) string {
	var text strings.Builder
	line := func(format string, values ...any) { fmt.Fprintf(&text, format+"\n", values...) }
	cli := workspace.CLI
	if found, err := exec.LookPath(cliName(workspace)); err == nil && found == cli {
		cli = cliName(workspace)
	}
	line("cd %s", quoted(workspace.Dir))
	line("export TF_CLI_CONFIG_FILE=%s", quoted(filepath.Join(workspace.Dir, tfcli.ConfigName)))
	line("%s plan", quoted(cli))
	for _, host := range daemons {
		line("docker -H %s ps   # %s", quoted(host.url), host.name)
	}
	last := daemons[len(daemons)-1]
	line("")
	line("# Take something away, and have it repaired. Then edit main.tf, and see what a plan says.")
	line("docker -H %s rm -f anka-anka-controller-%s", quoted(last.url), last.name)
	line("%s apply", quoted(cli))
	return text.String()
}

// quoted makes a word for a shell.
func quoted(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._:-") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
