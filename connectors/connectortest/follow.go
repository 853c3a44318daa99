package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// change is one change as it was told.
type change struct {
	id      string
	deleted bool
}

// followed is what Changes told.
type followed struct {
	changes []change
	tokens  [][]byte // after each change
	last    []byte
	expired bool
}

func (e *Env) changes(ctx context.Context, t connector.ObjectType, token []byte) (followed, error) {
	var f followed
	s, err := e.run.rpc().Changes(ctx, &pluginv1.ChangesRequest{InstanceId: e.instance, ObjectType: t.Name, SyncToken: token})
	for err == nil {
		var m *pluginv1.ChangesResponse
		if m, err = s.Recv(); err != nil {
			break
		}
		if e := protocol.FromProtoError(m.GetError()); e != nil {
			return f, e
		}
		f.expired = f.expired || m.GetTokenExpired()
		if m.GetSyncToken() != nil {
			f.last = m.GetSyncToken()
		}
		for _, p := range m.GetChanges() {
			c, err := protocol.FromProtoTargetChange(p)
			if err != nil {
				return f, err
			}
			f.changes = append(f.changes, change{c.Ref.ID, c.Object == nil})
			f.tokens = append(f.tokens, m.GetSyncToken())
		}
	}
	if !errors.Is(err, io.EOF) {
		return f, fmt.Errorf("Changes: %w", err)
	}
	return f, nil
}

// history makes an object, changes it and removes it, after a listing whose
// token it returns.
func (e *Env) history(ctx context.Context, t connector.ObjectType) (token []byte, first, second connector.Ref, err error) {
	_, end, err := e.list(ctx, connector.ListQuery{Type: t.Name})
	if err != nil {
		return nil, first, second, err
	}
	if end.GetSyncToken() == nil {
		return nil, first, second, errors.New("the connector declares Changes, and its listing ends without a sync token")
	}
	refs, err := e.some(ctx, t, 2)
	if err != nil {
		return nil, first, second, err
	}
	if e.can(t.Name, connector.VerbDelete) {
		_, err = e.must(ctx, connector.Delete{Call: e.call(), Target: refs[0]})
	}
	return end.GetSyncToken(), refs[0], refs[1], err
}

func follow(ctx context.Context, e *Env) error {
	t, err := e.lister()
	if err != nil {
		return err
	}
	if !e.Caps.Changes {
		return skip("the connector declares no Changes")
	}
	token, first, second, err := e.history(ctx, t)
	if err != nil {
		return err
	}
	f, err := e.changes(ctx, t, token)
	if err != nil {
		return err
	}
	if err := e.toldAll(t, f, first, second); err != nil {
		return err
	}
	for i, token := range f.tokens {
		if token == nil {
			continue
		}
		rest, err := e.changes(ctx, t, token)
		if err != nil {
			return fmt.Errorf("from the token after change %d: %w", i+1, err)
		}
		if len(rest.changes) > len(f.changes)-i-1 || i == len(f.tokens)-1 && len(rest.changes) > 0 {
			return fmt.Errorf("from the token after change %d of %d, %d changes are told", i+1, len(f.changes), len(rest.changes))
		}
	}
	return e.expiry(ctx, t, token)
}

// toldAll checks that what was done to the two objects was told, and the last
// thing last.
func (e *Env) toldAll(t connector.ObjectType, f followed, first, second connector.Ref) error {
	last := map[string]change{}
	for _, c := range f.changes {
		last[c.id] = c
	}
	if c, ok := last[first.ID]; e.can(t.Name, connector.VerbDelete) && (!ok || !c.deleted) {
		return fmt.Errorf("%s was created and deleted, and the last that was told of it is %+v", first, c)
	}
	if c, ok := last[second.ID]; !ok || c.deleted {
		return fmt.Errorf("%s was created, and that was not told", second)
	}
	return nil
}

func (e *Env) expiry(ctx context.Context, t connector.ObjectType, token []byte) error {
	if e.Target.Faults[ExpiredToken] == nil {
		return nil
	}
	k, err := e.withFault(ctx, ExpiredToken)
	if err != nil {
		return err
	}
	f, err := k.changes(ctx, t, token)
	if err == nil && !f.expired {
		err = errors.New("a token that has expired is not told as such")
	}
	return err
}

func tokenOutlives(ctx context.Context, e *Env) error {
	t, err := e.lister()
	if err != nil {
		return err
	}
	if !e.Caps.Changes || !e.Target.Durable {
		return skip("the connector declares no Changes, or its objects do not outlive the process")
	}
	token, _, second, err := e.history(ctx, t)
	if err != nil {
		return err
	}
	before, err := e.changes(ctx, t, token)
	if err != nil {
		return err
	}
	if err := e.restart(ctx); err != nil {
		return err
	}
	after, err := e.changes(ctx, t, token)
	if err != nil {
		return err
	}
	if len(after.changes) < 1 || !bytes.Equal(before.last, after.last) {
		return fmt.Errorf("in a new process the same token tells %d changes, it told %d before (the last is %s)", len(after.changes), len(before.changes), second)
	}
	return nil
}
