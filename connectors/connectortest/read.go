package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// read returns an object as the target has it: by Get, else from a List. What
// the oracle sees must agree with it. The error is NOT_FOUND when there is none.
func (e *Env) read(ctx context.Context, ref connector.Ref) (connector.Object, error) {
	if e.Target.Settle > 0 {
		time.Sleep(e.Target.Settle)
	}
	obj, err := e.readPlugin(ctx, ref)
	if e.oracle == nil {
		return obj, err
	}
	return obj, e.agree(ctx, ref, obj, err)
}

func (e *Env) readPlugin(ctx context.Context, ref connector.Ref) (connector.Object, error) {
	switch {
	case e.Caps.Get:
		return e.get(ctx, ref)
	case e.Caps.List:
		all, _, err := e.list(ctx, connector.ListQuery{Type: ref.Type})
		if err != nil {
			return connector.Object{}, err
		}
		return e.pick(all, ref)
	case e.oracle != nil:
		all, err := e.oracle.Objects(ctx, ref.Type)
		if err != nil {
			return connector.Object{}, err
		}
		return e.pick(all, ref)
	}
	return connector.Object{}, skip("the connector reads nothing (no Get, no List), and there is no oracle")
}

// pick finds ref among objects.
func (e *Env) pick(all []connector.Object, ref connector.Ref) (connector.Object, error) {
	t, _ := e.Schema.Type(ref.Type)
	for _, o := range all {
		if ref.ID != "" && o.Ref.ID == ref.ID {
			return o, nil
		}
		a, _ := t.Attr(ref.By.Attribute)
		if ref.ID == "" && same(a, connector.Values{ref.By.Value}, o.Attributes.Get(ref.By.Attribute)) {
			return o, nil
		}
	}
	return connector.Object{}, connector.Errorf(connector.CodeNotFound, "no such object")
}

// agree compares what the plugin says of ref with what the oracle sees.
func (e *Env) agree(ctx context.Context, ref connector.Ref, said connector.Object, err error) error {
	all, oerr := e.oracle.Objects(ctx, ref.Type)
	if oerr != nil {
		return fmt.Errorf("the oracle: %w", oerr)
	}
	seen, missing := e.pick(all, ref)
	switch {
	case missing != nil && err == nil:
		return fmt.Errorf("the plugin reads %s, and the target does not hold it", ref)
	case missing == nil && connector.IsCode(err, connector.CodeNotFound):
		return fmt.Errorf("the plugin does not find %s, and the target holds it", ref)
	case err != nil || missing != nil:
		return err
	}
	t, _ := e.Schema.Type(ref.Type)
	return sameObject(t, seen, said)
}

// gone checks that there is no such object.
func (e *Env) gone(ctx context.Context, ref connector.Ref) error {
	_, err := e.read(ctx, ref)
	if err == nil {
		return fmt.Errorf("%s is there, and must not be", ref)
	}
	if !connector.IsCode(err, connector.CodeNotFound) {
		return fmt.Errorf("reading %s: want NOT_FOUND, got: %w", ref, err)
	}
	return nil
}

// count returns how many objects of a type have the unique value.
func (e *Env) count(ctx context.Context, typ string, by connector.Correlation) (int, error) {
	if !e.Caps.List {
		_, err := e.read(ctx, connector.Ref{Type: typ, By: by})
		if connector.IsCode(err, connector.CodeNotFound) {
			return 0, nil
		}
		return 1, err // AMBIGUOUS is an error
	}
	all, _, err := e.list(ctx, connector.ListQuery{Type: typ})
	if err != nil {
		return 0, err
	}
	t, _ := e.Schema.Type(typ)
	a, _ := t.Attr(by.Attribute)
	n := 0
	for _, o := range all {
		if same(a, connector.Values{by.Value}, o.Attributes.Get(by.Attribute)) {
			n++
		}
	}
	return n, nil
}

// list reads all objects of a type.
func (e *Env) list(ctx context.Context, q connector.ListQuery) ([]connector.Object, *pluginv1.ListResponse, error) {
	var out []connector.Object
	pages, err := e.run.rpc().List(ctx, protocol.ToProtoListRequest(e.instance, q))
	for err == nil {
		var m *pluginv1.ListResponse
		if m, err = pages.Recv(); err != nil {
			break
		}
		for _, p := range m.GetObjects() {
			o, err := protocol.FromProtoObject(p)
			if err != nil {
				return nil, nil, err
			}
			out = append(out, o)
		}
		if e := protocol.FromProtoError(m.GetError()); e != nil {
			return out, m, e
		}
		if m.GetLast() {
			return out, m, nil
		}
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the listing ended without a last message")
	}
	return out, nil, fmt.Errorf("List: %w", err)
}

// get reads one object.
func (e *Env) get(ctx context.Context, ref connector.Ref) (connector.Object, error) {
	p, err := protocol.ToProtoRef(ref)
	if err != nil {
		return connector.Object{}, err
	}
	r, err := e.run.rpc().Get(ctx, &pluginv1.GetRequest{InstanceId: e.instance, Ref: p})
	if err != nil {
		return connector.Object{}, fmt.Errorf("Get: %w", err)
	}
	if e := protocol.FromProtoError(r.GetError()); e != nil {
		return connector.Object{}, e
	}
	return protocol.FromProtoObject(r.GetObject())
}
