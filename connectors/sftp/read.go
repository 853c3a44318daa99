package sftp

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
)

// Get implements [connector.Getter]: the account as the receiver has it. What is
// accepted and not confirmed does not show, so that the hub never takes it for
// done.
func (t *Target) Get(ctx context.Context, ref connector.Ref, attributes []string) (connector.Object, error) {
	if err := t.lookFirst(ctx); err != nil {
		return connector.Object{}, err
	}
	if g := t.cfg.Groups; g != nil && ref.Type == g.name() {
		return t.group(groupOf(ref))
	}
	id, err := t.cfg.idOfRef(ref)
	if err != nil {
		return connector.Object{}, err
	}
	shown, err := t.box.Shown(ctx, id)
	if err != nil {
		return connector.Object{}, stateError(err)
	}
	row, err := decodeRow(shown)
	if err != nil {
		return connector.Object{}, err
	}
	if row = visible(row); row == nil || !proven(ref, row) {
		return connector.Object{}, connector.Errorf(connector.CodeNotFound, "the receiver has no such account")
	}
	return t.object(id, row, attributes), nil
}

// lookFirst settles a publication whose end is not known, as far as looking does:
// it sends nothing.
func (t *Target) lookFirst(ctx context.Context) error {
	if err := t.prepare(ctx); err != nil {
		return err
	}
	x, ok, err := t.box.Unpublished(ctx)
	if err != nil || !ok || !x.Attempted {
		return stateError(err)
	}
	unlock, err := t.box.Lock(ctx)
	if err != nil {
		return connector.AsError(err)
	}
	defer unlock()
	if x, ok, err = t.box.Unpublished(ctx); err != nil || !ok || !x.Attempted {
		return stateError(err)
	}
	srv, release := t.server()
	defer release()
	next, err := t.look(ctx, srv, x)
	if err != nil || next < len(x.Files) {
		return err
	}
	return t.published(ctx, srv, x)
}

func (t *Target) group(name string) (connector.Object, error) {
	for _, known := range t.cfg.Groups.Names {
		if known == name {
			return t.groupObject(name), nil
		}
	}
	if len(t.cfg.Groups.Names) == 0 && name != "" {
		return t.groupObject(name), nil
	}
	return connector.Object{}, connector.Errorf(connector.CodeNotFound, "groups.names of the config does not list it")
}

func (t *Target) groupObject(name string) connector.Object {
	return connector.Object{Ref: connector.Ref{Type: t.cfg.Groups.name(), ID: name, Name: name}}
}

// pageSize is how many accounts are read at once.
const pageSize = 500

// List implements [connector.Lister]: all accounts as the receiver has them, by id.
func (t *Target) List(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
	if err := t.lookFirst(ctx); err != nil {
		return connector.ListEnd{}, err
	}
	if len(q.PageToken) > 0 {
		return connector.ListEnd{}, connector.Errorf(connector.CodeInvalidValue, "there are no page tokens: a listing is read in one go")
	}
	if g := t.cfg.Groups; g != nil && q.Type == g.name() {
		return t.listGroups(yield)
	}
	if q.Type != "" && q.Type != t.cfg.typeName() {
		return connector.ListEnd{}, connector.Errorf(connector.CodeUnsupported, "there is no object type %q", q.Type)
	}
	for after, more := "", true; more; {
		records, next, err := t.box.List(ctx, after, pageSize)
		if err != nil {
			return connector.ListEnd{}, stateError(err)
		}
		for _, r := range records {
			after = r.ID
			row, err := decodeRow(r.Want)
			if err != nil {
				return connector.ListEnd{}, err
			}
			if visible(row) == nil {
				continue
			}
			if err := yield(t.object(r.ID, row, q.Attributes)); err != nil {
				return connector.ListEnd{}, err
			}
		}
		more = next
	}
	return connector.ListEnd{Complete: true}, nil
}

// listGroups lists the groups that the config names. Without names any will do, so
// the listing is not complete.
func (t *Target) listGroups(yield func(connector.Object) error) (connector.ListEnd, error) {
	for _, name := range t.cfg.Groups.Names {
		if err := yield(t.groupObject(name)); err != nil {
			return connector.ListEnd{}, err
		}
	}
	return connector.ListEnd{Complete: len(t.cfg.Groups.Names) > 0}, nil
}

// Preview implements [connector.Planner]: which file would say what, without the
// values.
func (t *Target) Preview(ctx context.Context, op connector.Operation) (string, error) {
	id, err := t.cfg.idOf(op)
	if err != nil {
		return "", err
	}
	shown, err := t.box.Shown(ctx, id)
	if err != nil {
		return "", stateError(err)
	}
	is, err := decodeRow(shown)
	if err != nil {
		return "", err
	}
	is = visible(is)
	if _, isCreate := op.(connector.Create); isCreate && is != nil {
		return "", connector.Errorf(connector.CodeAlreadyExists, "another account of the file holds this %s", t.cfg.Key)
	}
	wanted, err := t.cfg.edit(op, is)
	if err != nil {
		return "", err
	}
	if _, err := t.record(id, wanted); err != nil {
		return "", err
	}
	action, ok := t.layout.ActionOf(is, wanted)
	if !ok {
		return "nothing changes in the files", nil
	}
	out := struct {
		Folder, File, Mode, Action string
	}{t.cfg.Folder, t.cfg.File.Name, t.cfg.Mode, string(action)}
	b, err := json.Marshal(out)
	return string(b), err
}

// requestID names a publication in the hub's log.
func requestID(seq int64) string {
	if seq == 0 {
		return ""
	}
	return fmt.Sprintf("publication %d", seq)
}
