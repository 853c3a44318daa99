package scim

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/provhub/provhub/clients/rest"
	"github.com/provhub/provhub/connectors/connector"
)

// BulkOp is one operation of a bulk request (RFC 7644 §3.7).
type BulkOp struct {
	Method  string
	Path    string // "/Users", "/Users/ID"
	BulkID  string // names it within its request; "": none. A POST needs one.
	Version string // version that the resource must still have; "": any
	Data    any
}

// BulkAnswer answers one operation of a bulk request.
type BulkAnswer struct {
	ID       string // of the resource; "" when not told
	Version  string
	Resource Resource // nil when not told
	// Answered reports whether the target answered this operation; else Err is what
	// became of the request as a whole.
	Answered bool
	Err      error // nil: done
}

const bulkSchema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"

// CanBulk reports whether bulk requests are used: the profile says so, or the
// target did.
func (p *Profile) CanBulk() bool { return p.Bulk == BulkSupported }

// Bulk carries out operations in as few requests as the target allows and answers
// each by its index. A request that is too large is halved. An operation that the
// target did not answer is in doubt. UNSUPPORTED for all when the target has no
// bulk.
func (c *Client) Bulk(ctx context.Context, ops []BulkOp) []BulkAnswer {
	set := c.state()
	w := &bulkWork{c: c, set: set, p: set.profile, ops: ops, answers: make([]BulkAnswer, len(ops))}
	if !w.p.CanBulk() {
		w.fail(0, len(ops), connector.Errorf(connector.CodeUnsupported, "profile %s: the target has no bulk requests (bulk)", w.p.Name))
		return w.answers
	}
	for from := 0; from < len(ops); {
		to, err := w.fit(from)
		if err != nil {
			w.fail(from, from+1, err)
			from++
			continue
		}
		if stop := w.send(ctx, from, to); stop != nil {
			w.fail(to, len(ops), stop)
			break
		}
		from = to
	}
	return w.answers
}

// bulkWork is one call of Bulk under way.
type bulkWork struct {
	c       *Client
	set     *state
	p       *Profile
	ops     []BulkOp
	answers []BulkAnswer
}

func (w *bulkWork) fail(from, to int, err error) {
	for i := from; i < to; i++ {
		w.answers[i] = BulkAnswer{Err: err}
	}
}

// wireOp is an operation as it is sent.
type wireOp struct {
	Method  string `json:"method"`
	Path    string `json:"path"`
	BulkID  string `json:"bulkId,omitempty"`
	Version string `json:"version,omitempty"`
	Data    any    `json:"data,omitempty"`
}

func wire(o BulkOp) wireOp { return wireOp(o) }

// fit returns where a request that begins with operation from ends, within the
// target's limits.
func (w *bulkWork) fit(from int) (to int, err error) {
	size := 128 // what stands around the operations
	for to = from; to < len(w.ops); to++ {
		raw, err := json.Marshal(wire(w.ops[to]))
		if err != nil {
			return 0, connector.Errorf(connector.CodeInternal, "the operation cannot be written: %w", err)
		}
		size += len(raw) + 1
		if w.p.BulkMaxBytes > 0 && size > w.p.BulkMaxBytes {
			if to == from {
				return 0, connector.Errorf(connector.CodeTooLarge, "one operation alone has more than %d bytes (bulk_max_bytes)", w.p.BulkMaxBytes)
			}
			return to, nil
		}
		if w.p.BulkMaxOps > 0 && to-from == w.p.BulkMaxOps {
			return to, nil
		}
	}
	return to, nil
}

// send carries out operations from to to. stop is set when nothing further must be
// sent.
func (w *bulkWork) send(ctx context.Context, from, to int) (stop error) {
	ops := make([]wireOp, 0, to-from)
	for _, o := range w.ops[from:to] {
		ops = append(ops, wire(o))
	}
	resp, err := w.c.Send(ctx, Request{Op: OpUpdate, Type: w.typeOf(w.ops[from]), Method: http.MethodPost, Path: "/Bulk", Body: map[string]any{"schemas": []string{bulkSchema}, "Operations": ops}})
	var f *Fault
	switch {
	case errors.As(err, &f) && f.Class == ClassSplit && to-from > 1:
		half := from + (to-from)/2
		if stop := w.send(ctx, from, half); stop != nil {
			w.fail(half, to, stop)
			return stop
		}
		return w.send(ctx, half, to)
	case err != nil:
		w.fail(from, to, err)
		return notTried(err)
	}
	wait, _ := rest.RetryAfter(resp.Header, time.Now())
	w.read(from, to, list(member(resp.Resource, "Operations")), min(wait, maxRetryAfter))
	return nil
}

// read matches the answers to the operations: by bulkId, else by their place when
// each operation has an answer. wait is what the answer as a whole asks for; the
// operations that were refused for it are to come again then.
func (w *bulkWork) read(from, to int, answers []any, wait time.Duration) {
	w.fail(from, to, connector.Unknown(connector.Errorf(connector.CodeUnavailable, "the target did not answer this operation of a bulk request")))
	byID := map[string]int{}
	for i := from; i < to; i++ {
		if id := w.ops[i].BulkID; id != "" {
			byID[id] = i
		}
	}
	for n, v := range answers {
		a := Resource(object(v))
		i, ok := byID[textOf(member(a, "bulkId"))]
		if !ok && len(answers) == to-from {
			i, ok = from+n, true
		}
		if ok {
			w.answers[i] = w.one(w.ops[i], a, wait)
		}
	}
}

// one reads the answer to one operation.
func (w *bulkWork) one(o BulkOp, a Resource, wait time.Duration) BulkAnswer {
	op := OpUpdate
	switch o.Method {
	case http.MethodPost:
		op = OpCreate
	case http.MethodDelete:
		op = OpDelete
	}
	status, ok := intOf(member(a, "status"))
	if !ok {
		status, ok = intOf(member(object(member(a, "status")), "code")) // SCIM 1.1
	}
	if !ok {
		return BulkAnswer{Err: connector.Unknown(connector.Errorf(connector.CodeUnavailable, "the target answered this operation of a bulk request without a status"))}
	}
	body := Resource(object(member(a, "response")))
	out := BulkAnswer{Answered: true, Version: textOf(member(a, "version")), Resource: body, ID: body.ID()}
	if out.ID == "" {
		collection, _, _ := cutLast(o.Path, "/")
		if op == OpCreate {
			collection = o.Path
		}
		out.ID = idFrom(textOf(member(a, "location")), collection)
	}
	if status >= 200 && status <= 299 {
		return out
	}
	f := &Fault{Status: status, wait: wait}
	f.read(body)
	out.Resource, out.Err = nil, w.c.answered(w.set, Request{Op: op, Type: w.typeOf(o), Method: o.Method, Path: o.Path, IfMatch: o.Version}, f)
	return out
}

func (w *bulkWork) typeOf(o BulkOp) ResourceType {
	if strings.HasPrefix(o.Path, w.p.GroupsPath) {
		return Groups
	}
	return Users
}
