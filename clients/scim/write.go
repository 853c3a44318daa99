package scim

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// Create makes one resource and returns what the target answered, with the version
// from its ETag header; without an id, or nil, when the target does not tell: look
// it up then. ALREADY_EXISTS when a unique value is taken.
func (c *Client) Create(ctx context.Context, t ResourceType, r Resource) (Resource, error) {
	req, err := c.CreateRequest(t, r)
	if err != nil {
		return nil, err
	}
	resp, err := c.Send(ctx, req)
	if err != nil {
		return nil, err
	}
	out := resp.withVersion()
	if out.ID() != "" {
		return out, nil
	}
	if id := idFrom(resp.Header.Get("Location"), c.Profile().Collection(t)); id != "" {
		if out == nil {
			out = Resource{}
		}
		out["id"] = id
	}
	return out, nil
}

// idFrom returns the id in the address of a new resource (RFC 7644 §3.3).
func idFrom(location, collection string) string {
	u, err := url.Parse(location)
	if err != nil || location == "" {
		return ""
	}
	dir, last, ok := cutLast(strings.TrimSuffix(u.EscapedPath(), "/"), "/")
	if !ok || !strings.HasSuffix(dir, strings.TrimSuffix(collection, "/")) {
		return ""
	}
	id, err := url.PathUnescape(last)
	if err != nil {
		return ""
	}
	return id
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(sep):], true
}

// CreateRequest returns the request that Create sends for r, which it leaves as it
// is. INVALID_VALUE names the attributes that the target requires and r lacks.
func (c *Client) CreateRequest(t ResourceType, r Resource) (Request, error) {
	p := c.Profile()
	if t == Groups && !p.Can(GroupCreate) {
		return Request{}, connector.Errorf(connector.CodeUnsupported, "profile %s: the target makes no groups (group_ops)", p.Name)
	}
	var missing []string
	if t == Users {
		for _, name := range p.RequiredOnCreate {
			path, err := ParsePath(name)
			if err != nil {
				return Request{}, connector.Errorf(connector.CodeConfiguration, "profile %s: required_on_create: %w", p.Name, err)
			}
			if len(r.Values(path)) == 0 {
				missing = append(missing, name)
			}
		}
	}
	if len(missing) > 0 {
		e := connector.Errorf(connector.CodeInvalidValue, "the target requires %s for a new user (profile %s, required_on_create)", strings.Join(missing, ", "), p.Name)
		e.Attributes = missing
		return Request{}, e
	}
	if err := p.checkNewMembers(t, r); err != nil {
		return Request{}, err
	}
	return Request{Op: OpCreate, Type: t, Method: http.MethodPost, Path: p.Collection(t), Body: p.body(t, r)}, nil
}

func (p *Profile) checkNewMembers(t ResourceType, r Resource) error {
	n := len(list(member(r, "members")))
	switch {
	case t != Groups || n == 0:
		return nil
	case p.GroupCreateMembers == CreateMembersLater:
		return connector.Errorf(connector.CodeUnsupported, "profile %s: a group is made without members (group_create_members)", p.Name)
	case p.MemberAddMax > 0 && n > p.MemberAddMax:
		return connector.Errorf(connector.CodeTooLarge, "a new group takes %d members (profile %s, member_add_max)", p.MemberAddMax, p.Name)
	}
	return nil
}

// body returns r as it is sent whole: schemas that name every extension, booleans
// and manager in the form of the profile, without what the target sets by itself.
func (p *Profile) body(t ResourceType, r Resource) Resource {
	out := r.Clone()
	if out == nil {
		out = Resource{}
	}
	delete(out, key(out, "meta"))
	core := coreGroup
	if t == Users {
		core = coreUser
		delete(out, key(out, "groups")) // read-only, RFC 7643 §4.1.2
	}
	schemas := []string{core}
	for _, uri := range out.Schemas() {
		if !strings.EqualFold(uri, core) {
			schemas = append(schemas, uri)
		}
	}
	for _, name := range sortedKeys(out) {
		if strings.HasPrefix(strings.ToLower(name), "urn:") && object(out[name]) != nil &&
			!slices.ContainsFunc(schemas, func(s string) bool { return strings.EqualFold(s, name) }) {
			schemas = append(schemas, name)
		}
	}
	out[key(out, "schemas")] = schemas
	if name := key(out, "active"); out[name] != nil {
		out[name] = p.boolean(out[name])
	}
	if ext := object(member(out, EnterpriseUser)); ext != nil && p.ManagerStyle == ManagerString {
		name := key(ext, "manager")
		if m := object(ext[name]); m != nil {
			ext[name] = member(m, "value")
		}
	}
	return out
}

// boolean writes a boolean as the target wants it; what is none stays.
func (p *Profile) boolean(v any) any {
	b, ok := boolOf(v)
	switch {
	case !ok:
		return v
	case p.BoolStyle == BoolJSON:
		return b
	case p.BoolStyle == BoolStringTrue && b:
		return "True"
	case p.BoolStyle == BoolStringTrue:
		return "False"
	case b:
		return "true"
	}
	return "false"
}

// Delete removes a resource. [connector.Unchanged] when it is gone already. It
// does what DELETE does on this target, irreversible or not: see
// [LifecycleRules.DeleteEffect]. UNSUPPORTED when the profile forbids it.
func (c *Client) Delete(ctx context.Context, t ResourceType, id, ifMatch string) error {
	r, err := c.DeleteRequest(t, id, ifMatch)
	if err != nil {
		return err
	}
	return c.sendRemoval(ctx, r, id)
}

// sendRemoval sends a DELETE, with the version that it must be conditional on.
func (c *Client) sendRemoval(ctx context.Context, r Request, id string) error {
	if c.Profile().ETag == ETagRequire && r.IfMatch == "" {
		current, err := c.Get(ctx, r.Type, id, Selection{})
		switch {
		case connector.IsCode(err, connector.CodeNotFound):
			return connector.Unchanged
		case err != nil:
			return err
		}
		r.IfMatch = current.Version()
	}
	_, err := c.Send(ctx, r)
	return err
}

// DeleteRequest returns the request that Delete sends.
func (c *Client) DeleteRequest(t ResourceType, id, ifMatch string) (Request, error) {
	p := c.Profile()
	if p.DeleteEffect(t) == DeleteForbidden || t == Groups && !p.Can(GroupDelete) {
		return Request{}, connector.Errorf(connector.CodeUnsupported, "profile %s: %s cannot be deleted on this target", p.Name, t)
	}
	return c.remove(t, id, ifMatch)
}

func (c *Client) remove(t ResourceType, id, ifMatch string) (Request, error) {
	r, err := c.Profile().itemRequest(OpDelete, http.MethodDelete, t, id, nil)
	r.IfMatch = c.Profile().condition(ifMatch)
	return r, err
}

// condition is the version for If-Match, "" when the target has none.
func (p *Profile) condition(version string) string {
	if p.ETag == ETagNone {
		return ""
	}
	return version
}
