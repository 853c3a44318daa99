package scim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// Selection says which attributes to read. Where the target does not know the
// parameters, it returns all.
type Selection struct {
	Attributes []string // paths; nil: the target's default
	Excluded   []string // paths
}

// Get reads one resource. NOT_FOUND when there is none; a target that hides
// disabled users answers that for them, too.
func (c *Client) Get(ctx context.Context, t ResourceType, id string, s Selection) (Resource, error) {
	p := c.Profile()
	r, err := p.itemRequest(OpRead, http.MethodGet, t, id, nil)
	if err != nil {
		return nil, err
	}
	var q parameters
	p.selection(&q, s)
	r.Query = q.String()
	resp, err := c.Send(ctx, r)
	if err != nil {
		return nil, err
	}
	if got := resp.Resource.ID(); got != id {
		return nil, connector.Errorf(connector.CodeConfiguration, "the target answered %s with a resource of another id; is the address right?", p.route(r))
	}
	return resp.withVersion(), nil
}

// withVersion returns the resource with the version from the ETag header where its
// meta has none.
func (r *Response) withVersion() Resource {
	if tag := r.Header.Get("ETag"); tag != "" && r.Resource != nil && r.Resource.Version() == "" {
		meta := object(member(r.Resource, "meta"))
		if meta == nil {
			meta = map[string]any{}
			r.Resource[key(r.Resource, "meta")] = meta
		}
		meta["version"] = tag
	}
	return r.Resource
}

// Find reads the one resource whose attribute at path is value. NOT_FOUND when
// there is none, AMBIGUOUS when several match: hits are checked here, by the
// comparison rule of the attribute. UNSUPPORTED when the profile does not allow the
// filter. Right after a write the target may still miss it: see
// [TimingRules.ReadAfterWrite].
func (c *Client) Find(ctx context.Context, t ResourceType, path string, value any, s Selection) (Resource, error) {
	at, err := ParsePath(path)
	if err != nil {
		return nil, connector.Errorf(connector.CodeConfiguration, "%w", err)
	}
	f := Compare{Path: at, Op: OpEqual, Value: value}
	if s.Attributes != nil && !slices.Contains(s.Attributes, path) {
		s.Attributes = append(slices.Clone(s.Attributes), path) // to check the hits
	}
	hits, err := c.hits(ctx, Query{Type: t, Filter: f, Selection: s}, 2, func(r Resource) bool { return Matches(f, r, c.Attributes()) })
	switch {
	case err != nil:
		return nil, err
	case len(hits) == 0:
		return nil, connector.Errorf(connector.CodeNotFound, "none of the %s has that %s", t, path)
	case len(hits) > 1:
		return nil, connector.Errorf(connector.CodeAmbiguous, "several of the %s have the same %s (ids %s and %s)", t, path, hits[0].ID(), hits[1].ID())
	}
	return hits[0], nil
}

// hits returns up to most resources that a query finds and that pass the check.
func (c *Client) hits(ctx context.Context, q Query, most int, check func(Resource) bool) ([]Resource, error) {
	var out []Resource
	l, err := c.listing(q)
	if err != nil {
		return nil, err
	}
	l.lookup = true
	for l.more && len(out) < most {
		page, err := l.next(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if check(r) {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// CheckFilter returns UNSUPPORTED, saying what is allowed, when the target does
// not understand f for resources of type t.
func (p *Profile) CheckFilter(t ResourceType, f Filter) error {
	u := usageOf(f)
	refuse := func(format string, args ...any) error {
		return connector.Errorf(connector.CodeUnsupported, "profile %s: "+format, append([]any{p.Name}, args...)...)
	}
	for _, op := range u.ops {
		if !slices.Contains(p.FilterOps, op) {
			return refuse("the target knows no filter with %s (filter_ops: %s)", op, strings.Join(p.FilterOps, ", "))
		}
	}
	if p.FilterMaxNodes > 0 && u.nodes > p.FilterMaxNodes {
		return refuse("the filter has %d nodes, the target takes %d (filter_max_nodes)", u.nodes, p.FilterMaxNodes)
	}
	for _, path := range u.paths {
		if path.Names(Path{Attr: "externalId"}) && (p.ExternalID == ExternalIDUnsupported || p.ExternalID == ExternalIDNotCombinable && len(u.paths) > 1) {
			return refuse("no such filter on externalId (external_id: %s)", p.ExternalID)
		}
		if list := p.FilterAttrs.Of(t); len(list) > 0 && !u.names(path, list) {
			return refuse("no filter on %s (filter_attrs: %s)", path, strings.Join(list, ", "))
		}
	}
	combos := p.FilterCombos.Of(t)
	if len(combos) > 0 && !slices.ContainsFunc(combos, u.isExactly) {
		return refuse("no filter on %v together (filter_combos: %v)", u.paths, combos)
	}
	return nil
}

// usage is what a filter is made of.
type usage struct {
	ops   []string
	paths []Path // each once
	nodes int
}

func usageOf(f Filter) *usage {
	u := &usage{}
	u.add(f, Path{})
	return u
}

func (u *usage) add(f Filter, within Path) {
	u.nodes++
	switch x := f.(type) {
	case And:
		u.all("and", x, within)
	case Or:
		u.all("or", x, within)
	case Not:
		u.all("not", []Filter{x.Filter}, within)
	case Where:
		u.nodes--
		u.add(x.Filter, x.Path)
	case Compare:
		u.op(string(x.Op))
		path := x.Path
		if !within.IsZero() {
			path = Path{Schema: within.Schema, Attr: within.Attr, Sub: x.Path.Attr}
		}
		if !slices.ContainsFunc(u.paths, path.Names) {
			u.paths = append(u.paths, path)
		}
	default:
		panic(fmt.Sprintf("scim: %T is no filter", f))
	}
}

func (u *usage) all(word string, fs []Filter, within Path) {
	if len(fs) > 1 || word == "not" {
		u.op(word)
	}
	for _, f := range fs {
		u.add(f, within)
	}
}

func (u *usage) op(word string) {
	if !slices.Contains(u.ops, word) {
		u.ops = append(u.ops, word)
	}
}

// names reports whether path is in list.
func (u *usage) names(path Path, list []string) bool {
	return slices.ContainsFunc(list, func(name string) bool {
		o, err := ParsePath(name)
		return err == nil && o.Names(path)
	})
}

// isExactly reports whether the filter names the attributes of combo and no other.
func (u *usage) isExactly(combo []string) bool {
	return len(combo) == len(u.paths) && !slices.ContainsFunc(u.paths, func(p Path) bool { return !u.names(p, combo) })
}
