// Package span is the one seam of traces: it tells whoever traces the work under way
// what is begun, how it ends and how long that takes.
//
//	ctx, sp := span.Start(ctx, "guard")
//	err := work(ctx)
//	sp.End(err)
//
// The context carries the trace. Where it carries none, Start gives a nil [Span], whose
// methods do nothing: that costs a look into the context, and no memory.
//
// A span holds ids of operations, connectors and runs, codes and counts. It never holds
// what people are called, what accounts hold, nor the text of an error.
package span

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Data is a span that has ended.
type Data struct {
	Trace      TraceID
	ID, Parent ID // Parent is zero for the first span of a trace
	// Name says what was done: a word of ours, never something's name.
	Name       string
	Kind       Kind
	Begun, End time.Time
	Attributes []Attribute
	// Code is why it failed; "": it did not.
	Code string
	// Links are spans that it has to do with besides its parent.
	Links []Link
	// Process is the program in which it took place; "": the one that records it.
	Process string
}

// Kind says which side of a call a span is.
type Kind int

// The kinds of spans.
const (
	Internal Kind = iota // no call
	Server               // the answer to a call from outside
	Client               // a call, until its answer
)

// Attribute is one fact about a span: a text, or a number where Text is "".
type Attribute struct {
	Key    string
	Text   string
	Number int64
}

// Link names a span.
type Link struct {
	Trace TraceID
	ID    ID
}

// Recorder takes spans that have ended. It must not block.
type Recorder interface {
	Record(*Data)
}

// Span is something under way; nil: nobody records it. Its methods may be called by
// several goroutines.
type Span struct {
	Link
	to     Recorder // nil: this trace is not recorded here
	flags  byte     // of the traceparent
	remote bool     // it is under way elsewhere

	mu    sync.Mutex
	ended bool
	data  Data
}

// Start begins a part of what ctx says is under way. Use the context for what belongs to
// that part, and end the span. Without a trace that is recorded, ctx comes back as it is.
func Start(ctx context.Context, name string) (context.Context, *Span) {
	if p := of(ctx); p != nil && p.to != nil {
		return p.begin(ctx, p.to, name)
	}
	return ctx, nil
}

// Request is [Start] for a call to another process.
func Request(ctx context.Context, name string) (context.Context, *Span) {
	ctx, s := Start(ctx, name)
	if s != nil {
		s.data.Kind = Client
	}
	return ctx, s
}

// begin makes the span that follows p, which may be nil.
func (p *Span) begin(ctx context.Context, to Recorder, name string) (context.Context, *Span) {
	s := &Span{to: to, flags: sampled}
	s.data = Data{Name: name, Begun: time.Now()}
	s.ID = newID()
	if p == nil {
		s.Trace = newTraceID()
	} else {
		s.Trace, s.data.Parent = p.Trace, p.ID
	}
	return s.In(ctx), s
}

// In returns ctx with s as what is under way, for work that was begun elsewhere.
func (s *Span) In(ctx context.Context) context.Context {
	if s == nil {
		return ctx
	}
	return context.WithValue(ctx, key{}, s)
}

// Text adds a fact; "" adds none.
func (s *Span) Text(key, value string) *Span {
	if s != nil && value != "" {
		s.add(Attribute{Key: key, Text: value})
	}
	return s
}

// Number adds a fact.
func (s *Span) Number(key string, value int) *Span {
	if s != nil {
		s.add(Attribute{Key: key, Number: int64(value)})
	}
	return s
}

func (s *Span) add(a Attribute) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended { // then it is the recorder's
		s.data.Attributes = append(s.data.Attributes, a)
	}
}

// To says which server a request goes to; "": that is not known.
func (s *Span) To(host, port string) *Span {
	s.Text("server.address", host)
	if n, err := strconv.Atoi(port); s != nil && err == nil {
		s.Number("server.port", n)
	}
	return s
}

// LinkTo adds another span that s has to do with.
func (s *Span) LinkTo(other *Span) {
	if s == nil || other == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.data.Links = append(s.data.Links, other.Link)
	}
}

// End ends s, once. Of err, nil for a success, the code alone is kept.
func (s *Span) End(err error) {
	if s != nil {
		s.EndAs(codeOf(err))
	}
}

// EndAs is [Span.End] with the code of a failure, such as a status; "" for a success.
func (s *Span) EndAs(code string) {
	if s == nil || s.to == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	s.data.Trace, s.data.ID, s.data.End, s.data.Code = s.Trace, s.ID, time.Now(), code
	s.to.Record(&s.data)
}

func codeOf(err error) string {
	var e *connector.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		if e == nil {
			return ""
		}
		return e.Code.String()
	case errors.Is(err, context.Canceled):
		return "CANCELLED"
	case errors.Is(err, context.DeadlineExceeded):
		return connector.CodeTimeout.String()
	}
	return "ERROR"
}

// Along returns ctx for work that goes on by itself and is waited for in others: it is
// told in the first of their traces that is recorded.
func Along(ctx context.Context, others ...context.Context) context.Context {
	for _, o := range others {
		if Recorded(o) {
			return of(o).In(ctx)
		}
	}
	return ctx
}

// Adopt records spans of another process that took part in s. They belong to its trace,
// and to s where they name no other one of them, whatever they say.
func (s *Span) Adopt(process string, ds []Data) {
	if s == nil || s.to == nil {
		return
	}
	for _, d := range ds {
		d.Trace, d.Process, d.Links = s.Trace, process, nil
		if !slices.ContainsFunc(ds, func(p Data) bool { return p.ID == d.Parent && p.ID != d.ID }) {
			d.Parent = s.ID
		}
		s.to.Record(&d)
	}
}

type key struct{}

// of returns what is under way in ctx, nil when that is not known.
func of(ctx context.Context) *Span {
	s, _ := ctx.Value(key{}).(*Span)
	return s
}
