package sftp

import (
	"context"
	"encoding/json"
	"time"

	client "github.com/provhub/provhub/clients/sftp"
	"github.com/provhub/provhub/connectors/connector"
)

// actions are what a person can start.
var actions = []connector.Action{
	{Name: "host_key", Description: "Show the server's host keys and their fingerprints; nothing is trusted"},
	{Name: "publish", Description: "Publish now what waits, or a full file", Arguments: connector.SchemaFor[publishArguments](), Destructive: true},
}

// publishArguments are those of the action publish.
type publishArguments struct {
	Full        bool `json:"full,omitempty" doc:"A full file, also when nothing has changed, and also where files hold changes only"`
	AllowShrink bool `json:"allow_shrink,omitempty" doc:"Also when a full file has lost more than shrink.max_percent"`
}

// Invoke implements [connector.Actor].
func (t *Target) Invoke(ctx context.Context, in connector.Invocation, progress func(connector.Progress)) (json.RawMessage, error) {
	switch in.Name {
	case "host_key":
		return t.hostKeys(ctx)
	case "publish":
		var args publishArguments
		if len(in.Arguments) > 0 {
			if err := json.Unmarshal(in.Arguments, &args); err != nil {
				return nil, connector.Errorf(connector.CodeInvalidValue, "the arguments of publish cannot be read: %w", err)
			}
		}
		return t.publishByHand(ctx, args, progress)
	}
	return nil, connector.Errorf(connector.CodeUnsupported, "there is no action %q", in.Name)
}

func (t *Target) hostKeys(ctx context.Context) (json.RawMessage, error) {
	t.mu.Lock()
	secrets := t.secrets
	t.mu.Unlock()
	srv, release := t.server()
	defer release()
	keys, err := client.LearnHostKeys(ctx, t.cfg.connection(secrets))
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Server   string           `json:"server"`
		HostKeys []client.HostKey `json:"host_keys"`
		Next     string           `json:"next"`
	}{srv.Addr(), keys, "compare a fingerprint with what the server's owner says; then pin that key with host_keys"})
}

// publishByHand publishes at a person's word and tells what is on the server then.
func (t *Target) publishByHand(ctx context.Context, args publishArguments, progress func(connector.Progress)) (json.RawMessage, error) {
	if err := t.prepare(ctx); err != nil {
		return nil, err
	}
	unlock, err := t.box.Lock(ctx)
	if err != nil {
		return nil, connector.AsError(err)
	}
	defer unlock()
	if err := t.verify(ctx); err != nil {
		return nil, err
	}
	mode := t.cfg.Mode
	if args.Full {
		mode = modeFull
	}
	if err := t.finish(ctx); err != nil {
		return nil, err
	}
	progress(connector.Progress{Message: "writing the files"})
	sealed, err := t.seal(ctx, mode, sealOptions{always: args.Full, shrink: args.AllowShrink})
	if err != nil {
		return nil, err
	}
	if sealed {
		progress(connector.Progress{Message: "sending the files"})
		if err := t.finish(ctx); err != nil {
			return nil, err
		}
	}
	last, _, err := t.box.Last(ctx, "")
	if err != nil {
		return nil, stateError(err)
	}
	return json.Marshal(struct {
		Published bool      `json:"published"`
		Sequence  int64     `json:"sequence"`
		Mode      string    `json:"mode"`
		Rows      int64     `json:"rows"`
		At        time.Time `json:"at"`
	}{sealed, last.Seq, last.Mode, last.Rows, last.PublishedAt.UTC()})
}

// finish delivers a publication that is sealed, if there is one.
func (t *Target) finish(ctx context.Context) error {
	x, ok, err := t.box.Unpublished(ctx)
	if err != nil || !ok {
		return stateError(err)
	}
	return t.deliver(ctx, x)
}
