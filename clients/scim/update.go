package scim

import (
	"context"
	"errors"
	"net/http"

	"github.com/provhub/provhub/connectors/connector"
)

// Update is a change of one resource.
type Update struct {
	Type    ResourceType
	ID      string
	Changes []Change // each path once
	// Current is the resource as it was read just now; nil: the client reads it
	// when the way of changing it needs that.
	Current Resource
	IfMatch string // version that it must still have; "": any
}

// Update changes one resource the way the profile says and returns what the target
// answered; nil when it answered nothing. [connector.Unchanged] when it was so
// already, as far as that is known. When several requests or operations were needed
// and one was refused, the resource is read and what took effect is told:
// [connector.Partial] with the paths, or nil when it is as wanted all the same.
func (c *Client) Update(ctx context.Context, u Update) (Resource, error) {
	return c.updateBy(ctx, c.Profile().UpdateMethod(u.Type), u)
}

func (c *Client) updateBy(ctx context.Context, method UpdateMethod, u Update) (Resource, error) {
	plan, err := c.planUpdate(ctx, method, u)
	if err != nil {
		return nil, err
	}
	if len(plan.requests) == 0 {
		return nil, connector.Unchanged
	}
	var last Resource
	for i, r := range plan.requests {
		if i > 0 && r.IfMatch != "" {
			r.IfMatch = last.Version() // the write before made a new one
		}
		resp, err := c.Send(ctx, r)
		if err != nil {
			return nil, c.settle(ctx, plan, i, err)
		}
		last = resp.withVersion()
	}
	return last, nil
}

// UpdateRequests returns the requests that Update sends, none when nothing differs.
// It reads the resource where Update would.
func (c *Client) UpdateRequests(ctx context.Context, u Update) ([]Request, error) {
	plan, err := c.planUpdate(ctx, c.Profile().UpdateMethod(u.Type), u)
	if err != nil {
		return nil, err
	}
	return plan.requests, nil
}

// updatePlan is how an update is made.
type updatePlan struct {
	u        Update
	changes  []Change   // normal, those that have an effect
	requests []Request  // one after the other
	done     [][]string // by request: the paths that took effect after it
	several  bool       // one request holds several operations
}

func (c *Client) planUpdate(ctx context.Context, method UpdateMethod, u Update) (*updatePlan, error) {
	set := c.state()
	p := set.profile
	plan := &updatePlan{u: u}
	if method == UpdateNone || u.Type == Groups && !p.Can(GroupUpdate) {
		return nil, connector.Errorf(connector.CodeUnsupported, "profile %s: %s cannot be changed on this target", p.Name, u.Type)
	}
	needsCurrent := method == UpdatePutMerge || p.ETag == ETagRequire && u.IfMatch == ""
	for _, ch := range u.Changes {
		if ch.Path.in(p.Ignored) {
			continue // the target would say yes and do nothing
		}
		ch, err := set.schema.normal(p, ch)
		if err != nil {
			return nil, err
		}
		// A PUT holds an attribute whole, or it may lose its other parts.
		needsCurrent = needsCurrent || p.reads(ch) || method == UpdatePutPartial && ch.Path.Sub != ""
		plan.changes = append(plan.changes, ch)
	}
	if len(plan.changes) == 0 {
		return plan, nil
	}
	if needsCurrent && plan.u.Current == nil {
		current, err := c.Get(ctx, u.Type, u.ID, Selection{})
		if err != nil {
			return nil, err
		}
		plan.u.Current = current
		if plan.u.IfMatch == "" {
			plan.u.IfMatch = current.Version() // what is written was worked out from it
		}
	}
	return plan, plan.shape(set, method)
}

// shape works out the requests.
func (plan *updatePlan) shape(set *state, method UpdateMethod) error {
	p, current := set.profile, plan.u.Current
	wanted := current.Clone()
	if wanted == nil {
		wanted = Resource{}
	}
	var left []Change
	for _, ch := range plan.changes {
		before := wanted.Values(ch.Path.Bare())
		set.schema.apply(p, wanted, ch)
		if current == nil || !set.schema.Equal(ch.Path.Bare(), before, wanted.Values(ch.Path.Bare())) {
			left = append(left, ch)
		}
	}
	if plan.changes = left; len(left) == 0 {
		return nil
	}
	if method == UpdatePatch {
		return plan.patches(set, wanted)
	}
	if method == UpdatePutMerge && plan.u.Type == Groups && p.MembersRead != MembersFull {
		return connector.Errorf(connector.CodeUnsupported, "profile %s: PUT would empty a group whose members cannot be read", p.Name)
	}
	body := p.body(plan.u.Type, wanted)
	if method == UpdatePutPartial {
		body = p.partial(plan.u, body, left)
	} else if err := p.markCleared(body, left); err != nil {
		return err
	}
	return plan.add(p, http.MethodPut, body, left)
}

// add appends a request and notes what took effect after it.
func (plan *updatePlan) add(p *Profile, method string, body any, changes []Change) error {
	r, err := p.itemRequest(OpUpdate, method, plan.u.Type, plan.u.ID, body)
	if err != nil {
		return err
	}
	r.IfMatch = p.condition(plan.u.IfMatch)
	plan.requests = append(plan.requests, r)
	var paths []string
	for _, ch := range changes {
		paths = append(paths, ch.Path.String())
	}
	plan.done = append(plan.done, paths)
	return nil
}

// settle answers an update whose request at was refused with err.
func (c *Client) settle(ctx context.Context, plan *updatePlan, at int, err error) error {
	var f *Fault
	var open *connector.Answer
	switch {
	case errors.As(err, &open):
		return err // in doubt: the hub looks
	case errors.As(err, &f) && (f.Class == ClassCheckDone || plan.several && aboutValues(f)):
		return c.compare(ctx, plan, err)
	}
	return plan.partly(at, err)
}

// aboutValues reports whether a request was refused for what it holds: then some of
// it may have been taken.
func aboutValues(f *Fault) bool {
	switch f.Class {
	case ClassPermanent, ClassConflict, ClassSplit:
		return true
	}
	return f.Class == ClassConfig && f.Status == http.StatusBadRequest
}

// partly is err, or partial when earlier requests went through.
func (plan *updatePlan) partly(at int, err error) error {
	var applied []string
	for _, paths := range plan.done[:at] {
		applied = append(applied, paths...)
	}
	if len(applied) == 0 {
		return err
	}
	return connector.Partial(err, applied...)
}

// compare reads the resource and tells which of the changes it shows. A PATCH is
// atomic by RFC 7644 §3.5.2, and not on every target.
func (c *Client) compare(ctx context.Context, plan *updatePlan, err error) error {
	set := c.state()
	now, readErr := c.Get(ctx, plan.u.Type, plan.u.ID, Selection{})
	if readErr != nil {
		return connector.Unknown(connector.AsError(err)) // what took effect cannot be seen
	}
	var applied []string
	for _, ch := range plan.changes {
		with := now.Clone()
		set.schema.apply(set.profile, with, ch)
		if set.schema.Equal(ch.Path.Bare(), now.Values(ch.Path.Bare()), with.Values(ch.Path.Bare())) {
			applied = append(applied, ch.Path.String())
		}
	}
	switch len(applied) {
	case 0:
		return err
	case len(plan.changes):
		return nil
	}
	return connector.Partial(err, applied...)
}

// SetActive enables or disables a user the way the profile says. UNSUPPORTED when
// the way back is to make the user anew.
func (c *Client) SetActive(ctx context.Context, id string, active bool, ifMatch string) (Resource, error) {
	p := c.Profile()
	switch {
	case active && p.Reactivate == ReactivateCreate:
		return nil, connector.Errorf(connector.CodeUnsupported, "profile %s: a disabled user comes back by being created again (reactivate)", p.Name)
	case !active && p.Disable == DisableDelete:
		r, err := c.remove(Users, id, ifMatch)
		if err != nil {
			return nil, err
		}
		return nil, c.sendRemoval(ctx, r, id)
	}
	method := p.UserUpdate
	if p.Disable == DisablePut && method == UpdatePatch {
		method = UpdatePutMerge
	}
	resp, err := c.updateBy(ctx, method, activation(id, active, ifMatch))
	if !active && p.DisabledVisible == DisabledHidden && isHidden(err) {
		return nil, connector.Unchanged
	}
	return resp, err
}

func activation(id string, active bool, ifMatch string) Update {
	return Update{Type: Users, ID: id, IfMatch: ifMatch, Changes: []Change{{Path: Path{Attr: "active"}, Replace: []any{active}}}}
}

// isHidden reports whether err is the 404 that stands for a disabled user.
func isHidden(err error) bool {
	var f *Fault
	return errors.As(err, &f) && !f.HTML && (f.Status == http.StatusNotFound || f.Status == http.StatusGone)
}
