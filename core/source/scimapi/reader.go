package scimapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// Reader reads one service. It implements [source.Reader], [source.Incremental] and
// [source.Single]. Close it.
type Reader struct {
	c       Config
	profile *scim.Profile
	client  *scim.Client
	people  *kind
	groups  *kind // nil: none
	zone    *time.Location
	way     string
	overlap time.Duration
	named   bool // something names people
}

// Close gives up idle connections.
func (r *Reader) Close() { r.client.Close() }

// Fields implements [source.Reader].
func (r *Reader) Fields() []source.Field { return r.c.Fields() }

// GroupFields implements [source.Grouped].
func (r *Reader) GroupFields() []source.Field { return r.c.GroupFields() }

const modified = "meta.lastModified"

// pass is one reading, whole or of what was modified.
type pass struct {
	*Reader
	yield  func(*source.Record) error
	tally  source.Tally
	newest string // meta.lastModified
}

// part is one kind of what is read.
type part struct {
	*kind
	of identity.Kind
}

// parts lists them, people first.
func (r *Reader) parts() []part {
	out := []part{{r.people, identity.Person}}
	if r.groups != nil {
		out = append(out, part{r.groups, identity.Group})
	}
	return out
}

// Read implements [source.Reader].
func (r *Reader) Read(ctx context.Context, yield func(*source.Record) error) (source.Report, error) {
	p := &pass{Reader: r, yield: yield}
	if _, err := r.client.Discover(ctx); err != nil {
		return source.Report{}, err
	}
	for _, part := range r.parts() {
		if err := p.list(ctx, part, part.filter); err != nil {
			return p.tally.Report(), fmt.Errorf("%s: %w", part.typ, err)
		}
	}
	report := p.tally.Report()
	if !report.Complete || r.way == Never || p.newest == "" {
		return report, nil
	}
	if err := r.works(ctx, p.newest); err != nil {
		if r.way == LastModified {
			report.Warnings = append(report.Warnings, fmt.Sprintf("incremental is %s, and it does not work here: %v", LastModified, err))
		}
		return report, nil
	}
	report.Token = token{BaseURL: r.c.Access.BaseURL, Since: p.newest}.encode()
	return report, nil
}

// list reads the resources of a part that pass a filter.
func (p *pass) list(ctx context.Context, k part, f scim.Filter) error {
	end, err := p.client.List(ctx, scim.Query{Type: k.typ, Filter: f, PageSize: p.c.PageSize}, func(x scim.Resource) error {
		p.newest = max(p.newest, x.Text(modified))
		rec := p.record(k.of, k.kind, x)
		if !p.tally.Take(&rec) {
			return nil
		}
		return p.yield(&rec)
	})
	if err == nil && !end.Complete {
		p.tally.Incomplete(fmt.Sprintf("%s: %s", k.typ, end.Reason))
	}
	return err
}

// works finds out whether the service's filter on meta.lastModified does what it
// should: what was modified last must come back, and nothing older.
func (r *Reader) works(ctx context.Context, newest string) error {
	seen := false
	for _, part := range r.parts() {
		f := r.since(part.kind, newest)
		if err := r.profile.CheckFilter(part.typ, f); err != nil {
			return err
		}
		_, err := r.client.List(ctx, scim.Query{Type: part.typ, Filter: f}, func(x scim.Resource) error {
			if x.Text(modified) < newest {
				return fmt.Errorf("the filter on %s lets older ones through", modified)
			}
			seen = seen || x.Text(modified) == newest
			return nil
		})
		if err != nil {
			return err
		}
	}
	if !seen {
		return fmt.Errorf("the filter on %s does not find what was modified last", modified)
	}
	return nil
}

// since is a part's filter for what was modified at or after a dateTime.
func (r *Reader) since(k *kind, at string) scim.Filter {
	ge := scim.Compare{Path: scim.MustPath(modified), Op: scim.OpGreaterEqual, Value: at}
	if k.filter == nil {
		return ge
	}
	return scim.And{k.filter, ge}
}

// token says where the next reading goes on.
type token struct {
	BaseURL string
	Since   string // the newest meta.lastModified that was seen
}

func (t token) encode() []byte {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // texts
	}
	return b
}

// Changes implements [source.Incremental].
func (r *Reader) Changes(ctx context.Context, from []byte, yield func(*source.Record) error) (source.Report, error) {
	var t token
	if json.Unmarshal(from, &t) != nil || t.BaseURL != r.c.Access.BaseURL {
		return source.Report{}, source.ErrTokenExpired
	}
	at, err := time.Parse(time.RFC3339, t.Since)
	if err != nil {
		return source.Report{}, source.ErrTokenExpired
	}
	if _, err := r.client.Discover(ctx); err != nil {
		return source.Report{}, err
	}
	p := &pass{Reader: r, yield: yield, newest: t.Since}
	for _, part := range r.parts() {
		// A filter that is refused now is a reason to read the whole.
		err := p.list(ctx, part, r.since(part.kind, at.Add(-r.overlap).UTC().Format(time.RFC3339)))
		var e *connector.Error
		if errors.As(err, &e) && e.Class() != connector.ClassTransient && e.Code != connector.CodeAuthentication {
			return source.Report{}, fmt.Errorf("%w (%s: %w)", source.ErrTokenExpired, part.typ, err)
		}
		if err != nil {
			return source.Report{}, fmt.Errorf("%s: %w", part.typ, err)
		}
	}
	report := p.tally.Report()
	if !report.Complete {
		return report, fmt.Errorf("%w: %s", source.ErrTokenExpired, report.Incomplete[0])
	}
	report.Delta, report.Token = true, token{BaseURL: t.BaseURL, Since: p.newest}.encode()
	return report, nil
}

// ReadOne implements [source.Single].
func (r *Reader) ReadOne(ctx context.Context, of identity.Kind, anchor string, yield func(*source.Record) error) error {
	for _, part := range r.parts() {
		if part.of != of {
			continue
		}
		x, err := r.find(ctx, part.kind, anchor)
		switch {
		case connector.IsCode(err, connector.CodeNotFound) && r.profile.DisabledVisible == scim.DisabledVisible:
			return yield(&source.Record{Kind: of, Anchor: anchor, Deleted: true, Position: func() string { return string(part.typ) }})
		case connector.IsCode(err, connector.CodeNotFound):
			return source.ErrNotThere // it may be disabled
		case err != nil:
			return fmt.Errorf("%s: %w", part.typ, err)
		}
		rec := r.record(of, part.kind, x)
		return yield(&rec)
	}
	return source.ErrNotThere
}

func (r *Reader) find(ctx context.Context, k *kind, anchor string) (scim.Resource, error) {
	if k.anchor.IsZero() {
		return r.client.Get(ctx, k.typ, anchor, scim.Selection{})
	}
	return r.client.Find(ctx, k.typ, k.anchor.String(), anchor, scim.Selection{})
}
