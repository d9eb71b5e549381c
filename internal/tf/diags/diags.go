// Package diags holds the wording of diagnostics that resources share, so that
// the same trouble reads the same everywhere. It belongs to the layer of the
// framework.
package diags

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
	"github.com/anka-ha/terraform-provider-anka/internal/topology"
)

// HostUnreachable warns that nothing was learned of a host while state was
// refreshed or a plan was made. What is in state is kept: silence is not
// absence. A host that is there and could not be used is not called
// unreachable, because it is not the host that has to be looked at.
func HostUnreachable(host string, err error) diag.Diagnostic {
	const kept = "what the state says of it is kept and nothing on it will be changed or removed"
	summary := headline(host, err)
	if summary == "" {
		return diag.NewWarningDiagnostic(fmt.Sprintf("Host %s is unreachable", host),
			fmt.Sprintf("What runs on host %q is not known at the moment, so %s. Bring the host back and plan again.\n\n%s",
				host, kept, Sentence(err)))
	}
	return diag.NewWarningDiagnostic(summary,
		fmt.Sprintf("%s\n\nUntil this is corrected, what runs on host %q is not known, so %s.", Sentence(err), host, kept))
}

// headline is the cause in a few words, "" when the host just does not answer.
func headline(host string, err error) string {
	var key *dockerhost.HostKeyError
	var missing *dockerhost.NoHostError
	var unusable *dockerhost.UnreachableError
	switch {
	case errors.As(err, &key) && key.Revoked:
		return fmt.Sprintf("SSH host key of %s is revoked", host)
	case errors.As(err, &key) && key.Err == nil && len(key.Known) > 0:
		return fmt.Sprintf("SSH host key of %s has changed", host)
	case errors.As(err, &key) && key.Err == nil:
		return fmt.Sprintf("SSH host key of %s is not known", host)
	case errors.As(err, &key):
		return fmt.Sprintf("SSH host key of %s was not accepted", host)
	case errors.As(err, &missing):
		return fmt.Sprintf("Host %s is not in the provider block", host)
	case !errors.As(err, &unusable):
		return ""
	}
	switch unusable.Reason {
	case dockerhost.LoginRefused:
		return fmt.Sprintf("SSH login to host %s was refused", host)
	case dockerhost.TLSRefused:
		return fmt.Sprintf("TLS with host %s failed", host)
	case dockerhost.SocketDenied:
		return fmt.Sprintf("No permission to use Docker on host %s", host)
	default:
		return ""
	}
}

// Sentence is the text of an error as the beginning of a diagnostic's detail.
// First words that are names, such as URLs, stay as they are.
func Sentence(err error) string {
	text := err.Error()
	first, _, _ := strings.Cut(text, " ")
	if strings.ContainsAny(first, ":/._[\"") || first == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// PlannedSteps is the one warning that tells what apply is going to do, in
// order, with notes of one line each after the steps. The second result is
// false when there is nothing to tell.
func PlannedSteps(resource string, steps []topology.Step, notes ...string) (diag.Diagnostic, bool) {
	if len(steps)+len(notes) == 0 {
		return nil, false
	}
	var text strings.Builder
	for i, step := range steps {
		fmt.Fprintf(&text, "%d. %s", i+1, step)
		if cause := step.Cause(); cause != "" {
			fmt.Fprintf(&text, " (%s)", cause)
		}
		text.WriteByte('\n')
	}
	for _, note := range notes {
		text.WriteString(note + "\n")
	}
	return diag.NewWarningDiagnostic("Planned steps for "+resource, text.String()), true
}

// MissingHost is the key in err that names no host of the provider block. The
// second result is false when err is another error.
func MissingHost(err error) (string, bool) {
	var missing *dockerhost.NoHostError
	if !errors.As(err, &missing) {
		return "", false
	}
	return missing.Name, true
}

// UnknownHost is the attribute error for a key that names no host of the
// provider block. The second result is false when err is another error.
func UnknownHost(at path.Path, err error) (diag.Diagnostic, bool) {
	var missing *dockerhost.NoHostError
	if !errors.As(err, &missing) {
		return nil, false
	}
	known := "the provider block has no hosts"
	if len(missing.Known) > 0 {
		known = "the provider block has: " + strings.Join(missing.Known, ", ")
	}
	return diag.NewAttributeErrorDiagnostic(at, "Unknown host",
		fmt.Sprintf("There is no host %q; %s. Add it to hosts of the provider block, or name one that is there.", missing.Name, known)), true
}
