package scim

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// maxBulk bounds the creates of a bulk request, which a service carries out one
// after the other: all of them must be done within one request's time.
const maxBulk = 100

// kindOf is a type of resource of a service: what goes into bulk requests of its
// own, so that rates and pauses of that type are kept to.
type kindOf struct {
	s *service
	t client.ResourceType
}

// posting is a create on its way. made is set by whoever sends it, before the
// answer; nobody may look at it when the answer is an error.
type posting struct {
	resource client.Resource
	request  client.Request // as it would go alone
	made     client.Resource
}

// send makes the object: alone, or together with others that come at the same
// time where the service has bulk requests (QUIRKS SCIM-22). Looking for it comes
// before this, and what an answer means after it: neither knows which way it went.
//
// An account that is to be disabled goes alone: an answer of a bulk request need
// not show whether it is.
func (n *creation) send(ctx context.Context) (client.Resource, error) {
	if !n.s.bulks() || n.c.Enabled == connector.IsDisabled {
		return n.s.Create(ctx, n.typ.resource, n.resource)
	}
	req, err := n.s.CreateRequest(n.typ.resource, n.resource)
	if err != nil {
		return nil, err
	}
	p := &posting{resource: n.resource, request: req}
	if err := n.t.creates.do(ctx, kindOf{n.s, n.typ.resource}, p, n.s.Profile().Concurrency); err != nil {
		return nil, err
	}
	return p.made, nil
}

func (s *service) bulks() bool { return s.Profile().CanBulk() && !s.noBulk.Load() }

// postAll is what the merger of creates sends.
func postAll(ctx context.Context, k kindOf, ps []*posting) []error {
	errs := make([]error, len(ps))
	if len(ps) == 1 || !k.s.bulks() {
		for i, p := range ps {
			errs[i] = k.alone(ctx, p)
		}
		return errs
	}
	ops := make([]client.BulkOp, len(ps))
	for i, p := range ps {
		ops[i] = client.BulkOp{Method: p.request.Method, Path: p.request.Path, BulkID: strconv.Itoa(i + 1), Data: p.request.Body}
	}
	for i, a := range k.s.Bulk(ctx, ops) {
		switch {
		case k.s.refusedBulk(ctx, a):
			errs[i] = k.alone(ctx, ps[i])
		case a.Err != nil:
			errs[i] = own(a.Err)
		default:
			ps[i].made = ps[i].told(a)
		}
	}
	return errs
}

// own returns an error that is one caller's: what became of a whole request is
// the same error for all who had a part in it, and each words it further.
func own(err error) error {
	if e, ok := err.(*connector.Error); ok {
		again := *e
		return &again
	}
	return err
}

// alone sends a create by itself.
func (k kindOf) alone(ctx context.Context, p *posting) (err error) {
	p.made, err = k.s.Create(ctx, k.t, p.resource)
	return err
}

// told is the new object as far as a bulk request tells; as sent, where the answer
// holds no resource but only its address (RFC 7644 §3.7.3).
func (p *posting) told(a client.BulkAnswer) client.Resource {
	if a.Resource.ID() != "" {
		return a.Resource
	}
	out := p.resource.Clone()
	delete(out, "password")
	if a.ID != "" {
		out["id"] = a.ID
	}
	if a.Version != "" {
		out["meta"] = map[string]any{"version": a.Version}
	}
	return out
}

// refusedBulk reports whether an operation was not done because the service does
// not take it in a bulk request: it is to go alone then. A service that takes no
// bulk request at all, whatever it announces (QUIRKS SCIM-21), is not asked again.
func (s *service) refusedBulk(ctx context.Context, a client.BulkAnswer) bool {
	var f *client.Fault
	switch {
	case a.Answered || a.Err == nil || isUnknown(a.Err):
		return false
	case connector.IsCode(a.Err, connector.CodeTooLarge):
		return true
	case !errors.As(a.Err, &f) || f.Status == http.StatusUnauthorized:
		return false
	case f.Class != client.ClassConfig && f.Class != client.ClassPermanent && f.Class != client.ClassReplan:
		return false
	}
	aboutContent := f.Status == http.StatusBadRequest || f.Status == http.StatusUnprocessableEntity
	if !aboutContent && !s.noBulk.Swap(true) {
		s.log.WarnContext(ctx, "the service refuses bulk requests, which it announces; requests go out singly", "status", f.Status)
	}
	return true
}
