package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
)

var readChecks = []Check{
	{ID: "H1", Title: "a listing in small pages holds each object once", Func: listPages},
	{ID: "H2", Title: "changes between pages hide no other object; a bad page token is INVALID_VALUE", Func: listUnderChange},
	{ID: "H3", Title: "a listing that the target cuts short is not complete", Func: listCut},
	{ID: "H4", Title: "a sync token outlives the process", Process: true, Own: true, Func: tokenOutlives},
	{ID: "H5", Title: "changes since a listing: none is missed, in order, from any token", Func: follow},
}

// lister returns a type that can be created and listed.
func (e *Env) lister() (connector.ObjectType, error) {
	if !e.Caps.List {
		return connector.ObjectType{}, skip("the connector declares no List")
	}
	return e.creatable()
}

// some creates n objects and returns their references.
func (e *Env) some(ctx context.Context, t connector.ObjectType, n int) ([]connector.Ref, error) {
	var refs []connector.Ref
	for range n {
		_, ref, err := e.create(ctx, t, false)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	time.Sleep(e.Target.Settle)
	return refs, nil
}

func listPages(ctx context.Context, e *Env) error {
	t, err := e.lister()
	if err != nil {
		return err
	}
	refs, err := e.some(ctx, t, 7)
	if err != nil {
		return err
	}
	for _, size := range []int{0, 1, 3, 7, 1000} {
		all, end, err := e.list(ctx, connector.ListQuery{Type: t.Name, PageSize: size})
		if err != nil {
			return fmt.Errorf("in pages of %d: %w", size, err)
		}
		if !end.GetComplete() {
			return fmt.Errorf("in pages of %d: the listing is not complete", size)
		}
		if err := listsOnce(all, refs); err != nil {
			return fmt.Errorf("in pages of %d: %w", size, err)
		}
	}
	return nil
}

// listsOnce checks that no object is listed twice and that all of refs are.
func listsOnce(all []connector.Object, refs []connector.Ref) error {
	n := map[string]int{}
	for _, o := range all {
		if n[o.Ref.ID]++; n[o.Ref.ID] > 1 {
			return fmt.Errorf("%s is listed twice", o.Ref)
		}
	}
	for _, ref := range refs {
		if n[ref.ID] == 0 {
			return fmt.Errorf("%s is not listed", ref)
		}
	}
	return nil
}

func listUnderChange(ctx context.Context, e *Env) error {
	t, err := e.lister()
	if err != nil {
		return err
	}
	refs, err := e.some(ctx, t, 20)
	if err != nil {
		return err
	}
	pages, err := e.run.rpc().List(ctx, protocol.ToProtoListRequest(e.instance, connector.ListQuery{Type: t.Name, PageSize: 2}))
	if err != nil {
		return fmt.Errorf("List: %w", err)
	}
	var all []connector.Object
	var token []byte
	for first := true; ; first = false {
		m, err := pages.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("List: %w", err)
		}
		if e := protocol.FromProtoError(m.GetError()); e != nil {
			return fmt.Errorf("List: %w", e)
		}
		for _, p := range m.GetObjects() {
			o, err := protocol.FromProtoObject(p)
			if err != nil {
				return err
			}
			all = append(all, o)
		}
		if first {
			token = m.GetPageToken()
			if err := e.changeBetween(ctx, t, refs[0]); err != nil {
				return err
			}
		}
	}
	if err := listsOnce(all, refs[1:]); err != nil {
		return err
	}
	if token == nil {
		return nil // pages cannot be asked for one by one
	}
	_, _, err = e.list(ctx, connector.ListQuery{Type: t.Name, PageToken: []byte("no such token")})
	if !connector.IsCode(err, connector.CodeInvalidValue) {
		return fmt.Errorf("a bad page token: want INVALID_VALUE, got %v", err)
	}
	return nil
}

// changeBetween adds an object and removes one.
func (e *Env) changeBetween(ctx context.Context, t connector.ObjectType, ref connector.Ref) error {
	if _, _, err := e.create(ctx, t, false); err != nil {
		return err
	}
	if !e.can(t.Name, connector.VerbDelete) {
		return nil
	}
	_, err := e.must(ctx, connector.Delete{Call: e.call(), Target: ref})
	return err
}

func listCut(ctx context.Context, e *Env) error {
	t, err := e.lister()
	if err != nil {
		return err
	}
	if _, err := e.some(ctx, t, 5); err != nil {
		return err
	}
	if e.Target.Faults[Truncated] == nil {
		return e.listingCut(ctx, t)
	}
	cut, err := e.withFault(ctx, Truncated)
	if err != nil {
		return err
	}
	_, end, err := cut.list(ctx, connector.ListQuery{Type: t.Name})
	if err == nil && end.GetComplete() {
		return errCutComplete
	}
	return nil // an error is as good an answer
}
