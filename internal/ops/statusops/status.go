// Package statusops asks a controller what it says of itself, through a host's
// connection where one is named. It belongs to the layer ops.
package statusops

import (
	"context"
	"errors"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/ankaapi"
	"github.com/anka-ha/terraform-provider-anka/internal/dockerhost"
)

// DefaultTimeout bounds each of the few requests of a question.
const DefaultTimeout = 10 * time.Second

// Question is whom to ask, and how.
type Question struct {
	// URL of the controller.
	URL string
	// Host, when set, is the key of the host to go through.
	Host string
	// Fleet has the host.
	Fleet *dockerhost.Fleet
	// Credentials for the controller.
	Credentials ankaapi.Credentials
	// Timeout of each request; 0 means [DefaultTimeout].
	Timeout time.Duration
	// AllowUnreachable takes a controller that cannot be reached, fails or
	// refuses the credentials as an answer and not as an error.
	AllowUnreachable bool
	// Wait, when set, is what to wait for.
	Wait *Wait
}

// Status is what a controller says of itself.
type Status = ankaapi.Status

// Answer is what was found out.
type Answer struct {
	// Status is nil when the controller gave none.
	Status *Status
	// Failure tells why there is no status, "" when there is one.
	Failure string
	// Reachable: it answered at all.
	Reachable bool
	// Ready: it is ready to serve.
	Ready bool
	// unready tells why it is not.
	unready error
}

// Ask asks. Errors are [*dockerhost.NoHostError], those of [ankaapi.New],
// [*WaitError], and [*ankaapi.Error] for what is not to be taken as an answer.
func Ask(ctx context.Context, q Question) (Answer, error) {
	client, err := q.client()
	if err != nil {
		return Answer{}, err
	}
	defer client.Close()
	if q.Wait != nil {
		return q.wait(ctx, client)
	}
	return q.once(ctx, client)
}

// client is a client of the controller, through the host where one is named.
func (q Question) client() (*ankaapi.Client, error) {
	cfg := ankaapi.Config{URL: q.URL, Credentials: q.Credentials, Timeout: q.Timeout}
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if q.Host != "" {
		host, err := q.Fleet.Host(q.Host)
		if err != nil {
			return nil, err
		}
		cfg.Dial = host.DialService
	}
	return ankaapi.New(cfg)
}

// once asks one time.
func (q Question) once(ctx context.Context, client *ankaapi.Client) (Answer, error) {
	var answer Answer
	status, err := client.Status(ctx)
	switch {
	case err == nil:
		answer.Status, answer.Reachable = &status, true
	case !q.AllowUnreachable || !tolerable(err) || ctx.Err() != nil:
		return Answer{}, err
	default:
		answer.Failure = err.Error()
		answer.Reachable = reached(err)
	}
	if answer.Reachable {
		answer.unready = client.Ready(ctx, ankaapi.Controller)
		answer.Ready = answer.unready == nil
	}
	return answer, nil
}

// reached reports whether err is something that the service itself said.
func reached(err error) bool { return ankaapi.Is(err, ankaapi.Unauthorized, ankaapi.Failed) }

// tolerable reports whether err can be an answer. That something else answers
// at the URL is always a mistake in the configuration.
func tolerable(err error) bool {
	return ankaapi.Is(err, ankaapi.Unreachable, ankaapi.Timeout, ankaapi.TLSFailure, ankaapi.Unauthorized, ankaapi.Failed)
}

// Refused reports whether a controller wants credentials that were not given.
func Refused(err error) bool { return ankaapi.Is(err, ankaapi.Unauthorized) }

// summaries say what failed, by kind.
var summaries = map[ankaapi.Kind]string{
	ankaapi.Unreachable:  "Controller is unreachable",
	ankaapi.Timeout:      "Controller does not answer",
	ankaapi.TLSFailure:   "TLS with the controller failed",
	ankaapi.Unauthorized: "Controller refuses the credentials",
	ankaapi.NotAnka:      "Not a controller",
	ankaapi.WrongService: "Not a controller",
	ankaapi.Failed:       "Controller failed",
}

// Explain tells in a few words what failed, and whether AllowUnreachable makes
// an answer of it.
func Explain(err error) (summary string, allowable bool) {
	var (
		failed *ankaapi.Error
		waited *WaitError
	)
	if errors.As(err, &waited) {
		return "Controller is not ready in time", true
	}
	if !errors.As(err, &failed) {
		return "Unable to ask the controller", false
	}
	return summaries[failed.Kind], tolerable(err)
}
