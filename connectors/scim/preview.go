package scim

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// Preview implements [connector.Planner]: the requests that change something,
// without the values of attributes. It reads what the operation would read.
func (t *Target) Preview(ctx context.Context, op connector.Operation) (string, error) {
	s, m, err := t.use(ctx)
	if err != nil {
		return "", err
	}
	requests, err := t.requests(ctx, s, m, op)
	if err != nil {
		return "", err
	}
	if len(requests) == 0 {
		return "nothing: it is so already\n", nil
	}
	var b strings.Builder
	for _, r := range requests {
		fmt.Fprintln(&b, r)
		if r.IfMatch != "" {
			fmt.Fprintln(&b, "If-Match: "+r.IfMatch)
		}
		if r.Body != nil {
			fmt.Fprintln(&b, masked(r.Body))
		}
	}
	return b.String(), nil
}

// requests are those that op would send.
func (t *Target) requests(ctx context.Context, s *service, m *model, op connector.Operation) ([]client.Request, error) {
	one := func(r client.Request, err error) ([]client.Request, error) { return []client.Request{r}, err }
	switch o := op.(type) {
	case connector.Create:
		typ, err := m.typeOf(o.Type)
		if err == nil {
			err = typ.public.CheckCreate(o)
		}
		if err != nil {
			return nil, err
		}
		r, err := t.resource(typ, o)
		if err != nil {
			return nil, err
		}
		return one(s.CreateRequest(typ.resource, r))
	case connector.Grant:
		return t.memberRequests(ctx, s, m, o.Principal, o.Entitlement, false)
	case connector.Revoke:
		return t.memberRequests(ctx, s, m, o.Principal, o.Entitlement, true)
	}
	typ, r, err := t.previewed(ctx, s, m, op)
	if err != nil {
		return nil, err
	}
	switch o := op.(type) {
	case connector.Delete:
		return one(s.DeleteRequest(typ.resource, r.ID(), o.IfVersion))
	case connector.SetEnabled:
		if active, known := r.Active(); known && active == o.Enabled {
			return nil, nil
		}
		switch p := s.Profile(); {
		case !o.Enabled && p.Disable == client.DisableDelete:
			return one(s.DeleteRequest(typ.resource, r.ID(), o.IfVersion))
		case o.Enabled && p.Reactivate == client.ReactivateCreate:
			return one(s.CreateRequest(typ.resource, anew(r)))
		}
		return s.UpdateRequests(ctx, client.Update{Type: typ.resource, ID: r.ID(), Current: r, IfMatch: o.IfVersion,
			Changes: []client.Change{{Path: client.Path{Attr: "active"}, Replace: []any{o.Enabled}}}})
	case connector.SetCredential:
		return s.UpdateRequests(ctx, client.Update{Type: typ.resource, ID: r.ID(), Current: r, IfMatch: o.IfVersion,
			Changes: []client.Change{{Path: client.Path{Attr: "password"}, Replace: []any{o.Credential.Reveal()}}}})
	case connector.Rename:
		return s.changeRequests(ctx, typ, r, o.IfVersion, []connector.Change{{Name: typ.naming().Name, Replace: connector.Values{o.NewName}}})
	case connector.Update:
		return s.changeRequests(ctx, typ, r, o.IfVersion, o.Changes)
	}
	return nil, connector.Errorf(connector.CodeUnsupported, "this connector does not do %s", op.Verb())
}

// previewed reads what op is about, and holds op against the type.
func (t *Target) previewed(ctx context.Context, s *service, m *model, op connector.Operation) (*objectType, client.Resource, error) {
	var ref connector.Ref
	switch o := op.(type) {
	case connector.Update:
		ref = o.Target
	case connector.SetEnabled:
		ref = o.Target
	case connector.Delete:
		ref = o.Target
	case connector.SetCredential:
		ref = o.Target
	case connector.Rename:
		ref = o.Target
	}
	typ, err := m.typeOf(ref.Type)
	if err == nil {
		err = typ.can(op.Verb())
	}
	if u, ok := op.(connector.Update); ok && err == nil {
		err = typ.public.CheckUpdate(u)
	}
	if err != nil {
		return nil, nil, err
	}
	r, err := s.subject(ctx, typ, ref, op.Meta().IfVersion)
	return typ, r, err
}

func (s *service) changeRequests(ctx context.Context, typ *objectType, r client.Resource, ifVersion string, wanted []connector.Change) ([]client.Request, error) {
	changes, err := typ.changes(r, wanted)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	return s.UpdateRequests(ctx, client.Update{Type: typ.resource, ID: r.ID(), Changes: changes, Current: r, IfMatch: ifVersion})
}

func (t *Target) memberRequests(ctx context.Context, s *service, m *model, account, entitlement connector.Ref, remove bool) ([]client.Request, error) {
	typ, err := m.typeOf(account.Type)
	if err == nil {
		err = typ.can(connector.VerbGrant)
	}
	if err != nil {
		return nil, err
	}
	group, err := t.groupOf(ctx, s, m, entitlement)
	if err != nil {
		return nil, missing(err)
	}
	r, err := s.read(ctx, typ, account, typ.selection(nil))
	if err != nil {
		return nil, err
	}
	return s.MemberRequests(group, []client.MemberChange{{ID: r.ID(), Display: typ.ref(r).Name, Remove: remove}})
}

// structural are the members of a request that say nothing about a person.
var structural = []string{"schemas", "op", "path", "type", "primary", "active"}

// inPath is a value in the filter of a path.
var inPath = regexp.MustCompile(`(value eq )"[^"]*"`)

// masked is a body as JSON with the values of attributes taken out.
func masked(body any) string {
	raw, err := json.Marshal(body)
	if err != nil {
		return ""
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	return asJSON(mask(v, true))
}

func mask(v any, hide bool) any {
	switch x := v.(type) {
	case map[string]any:
		for name, e := range x {
			x[name] = mask(e, !slices.Contains(structural, name))
		}
	case []any:
		for i, e := range x {
			x[i] = mask(e, hide)
		}
	case string:
		if hide {
			return "…"
		}
		return inPath.ReplaceAllString(x, `$1"…"`)
	case float64:
		return "…"
	}
	return v
}
