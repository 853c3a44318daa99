package span

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/provhub/provhub/connectors/connector"
)

// kept records for a test.
type kept struct {
	mu    sync.Mutex
	spans []Data
}

func (k *kept) Record(d *Data) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spans = append(k.spans, *d)
}

func tracer(sample float64) (*Tracer, *kept) {
	k, t := &kept{}, &Tracer{}
	t.Use(k, sample)
	return t, k
}

const outside = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func TestSpansOfOneTraceHangTogether(t *testing.T) {
	tr, k := tracer(1)
	ctx, run := tr.Start(context.Background(), "run")
	inner, part := tr.Start(ctx, "part")
	_, request := Request(inner, "PATCH")
	request.Text("empty", "").Number("status", 409).End(connector.Errorf(connector.CodeNotFound, "jane is not there"))
	part.LinkTo(request)
	part.End(fmt.Errorf("wrapped: %w", context.DeadlineExceeded))
	part.Text("late", "x")
	part.End(nil)
	run.End((*connector.Error)(nil))

	trace := Trace(ctx)
	want := []Data{
		{ID: request.ID, Parent: part.ID, Name: "PATCH", Kind: Client, Attributes: []Attribute{{Key: "status", Number: 409}}, Code: "NOT_FOUND"},
		{ID: part.ID, Parent: run.ID, Name: "part", Code: "TIMEOUT", Links: []Link{request.Link}},
		{ID: run.ID, Name: "run"},
	}
	if diff := cmp.Diff(want, k.spans, cmpopts.IgnoreFields(Data{}, "Trace", "Begun", "End")); diff != "" {
		t.Error(diff)
	}
	for _, d := range k.spans {
		if d.Trace.String() != trace || d.End.Before(d.Begun) {
			t.Errorf("%s is in trace %s, from %s to %s", d.Name, d.Trace, d.Begun, d.End)
		}
	}
}

func TestNothingIsRecordedWithoutATrace(t *testing.T) {
	var none *Tracer
	for name, ctx := range map[string]context.Context{
		"no trace":                 context.Background(),
		"a trace of somebody else": Remote(context.Background(), outside),
	} {
		for _, start := range []func(context.Context, string) (context.Context, *Span){none.Start, new(Tracer).Start, Start, Request} {
			after, s := start(ctx, "x")
			if s != nil || after != ctx || Recorded(after) {
				t.Errorf("%s: a span was begun", name)
			}
			s.Text("a", "b").Number("c", 1).LinkTo(s)
			s.Adopt("plugin", []Data{{}})
			s.End(errors.New("x"))
		}
	}
}

func TestATraceFromOutsideIsGoneOnWith(t *testing.T) {
	tr, k := tracer(0)
	ctx, s := tr.Start(Remote(context.Background(), outside), "push")
	s.End(nil)
	if len(k.spans) != 1 || k.spans[0].Trace.String() != "4bf92f3577b34da6a3ce929d0e0e4736" || fmt.Sprintf("%x", k.spans[0].Parent) != "00f067aa0ba902b7" {
		t.Errorf("recorded: %+v", k.spans)
	}
	if got, want := Traceparent(ctx), fmt.Sprintf("00-4bf92f3577b34da6a3ce929d0e0e4736-%x-01", s.ID); got != want {
		t.Errorf("told on as %q, want %q", got, want)
	}
}

func TestWhatIsNotSampledStaysSo(t *testing.T) {
	for name, ctx := range map[string]context.Context{"by us": context.Background(), "by the caller": Remote(context.Background(), outside[:len(outside)-1]+"0")} {
		tr, k := tracer(0)
		ctx, s := tr.Start(ctx, "run")
		_, part := tr.Start(ctx, "part")
		part.End(nil)
		s.End(nil)
		told := Traceparent(ctx)
		if len(k.spans) > 0 || len(Trace(ctx)) != 32 || told[len(told)-3:] != "-00" {
			t.Errorf("%s: %d spans, told on as %q", name, len(k.spans), told)
		}
		if _, s, _ := Collect(context.Background(), told, "create"); s != nil {
			t.Errorf("%s: the plugin recorded it", name)
		}
	}
}

func TestSampleIsAPartOfAll(t *testing.T) {
	tr, k := tracer(0.25)
	const all = 20_000
	for range all {
		_, s := tr.Start(context.Background(), "run")
		s.End(nil)
	}
	if part := float64(len(k.spans)) / all; part < 0.22 || part > 0.28 {
		t.Errorf("%.3f of all traces were recorded, want 0.25", part)
	}
}

func TestTraceparentsThatAreNotInOrderArePassedOver(t *testing.T) {
	for _, tc := range []struct {
		parent string
		ok     bool
	}{
		{outside, true},
		{"cc" + outside[2:] + "-what-comes-later", true},
		{outside + "-more", false}, // version 00 has no more
		{"ff" + outside[2:], false},
		{"cc" + outside[2:] + "x", false},
		{"", false},
		{"00", false},
		{"00-4BF92F3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false},
		{"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false},
		{"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false},
		{"00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01", false},
		{"00-4bf92f3577b34da6a3ce929d0e0e47-3600f067aa0ba902b7-01", false},
	} {
		if got := Trace(Remote(context.Background(), tc.parent)) != ""; got != tc.ok {
			t.Errorf("%q is taken: %t, want %t", tc.parent, got, tc.ok)
		}
	}
}

func FuzzTraceparent(f *testing.F) {
	f.Add(outside)
	f.Add("cc" + outside[2:] + "-x")
	f.Fuzz(func(t *testing.T, parent string) {
		ctx := Remote(context.Background(), parent)
		again := Traceparent(ctx)
		if (again == "") != (Trace(ctx) == "") || again != "" && Traceparent(Remote(context.Background(), again)) != again {
			t.Errorf("%q is told on as %q", parent, again)
		}
	})
}

func TestSpansOfAnotherProcessKeepTheirPlace(t *testing.T) {
	tr, k := tracer(1)
	ctx, call := tr.Start(context.Background(), "Apply")
	ctx, own, c := Collect(ctx, Traceparent(ctx), "create")
	for range CollectorMax + 5 {
		_, request := Request(ctx, "POST")
		request.End(nil)
	}
	own.End(nil)
	spans := c.Take()
	spans[0].Trace, spans[1].Parent = TraceID{1}, ID{7, 7} // a plugin that says what it likes
	call.Adopt("provhub-connector-x", spans)
	if n := len(k.spans); n != CollectorMax+1 || len(c.Take()) > 0 {
		t.Fatalf("%d spans were taken over", n)
	}
	for i, d := range k.spans {
		parent := own.ID
		if i == 1 || d.ID == own.ID {
			parent = call.ID
		}
		if d.Trace != call.Trace || d.Parent != parent || d.Process != "provhub-connector-x" {
			t.Errorf("span %d %s: trace %s, parent %x, process %q", i, d.Name, d.Trace, d.Parent, d.Process)
		}
	}
	last := k.spans[CollectorMax]
	if diff := cmp.Diff([]Attribute{{Key: "provhub.spans_left_out", Number: 5}}, last.Attributes); diff != "" {
		t.Error(diff)
	}
}

// Where nothing is traced, a span costs no memory.
func TestOffCostsNoMemory(t *testing.T) {
	var tr Tracer
	ctx := deep()
	if n := testing.AllocsPerRun(100, func() { work(&tr, ctx) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// work is what the way of one operation does with spans.
func work(tr *Tracer, ctx context.Context) {
	ctx, run := tr.Start(ctx, "operation")
	run.Text("provhub.operation", "id").Number("provhub.attempt", 1)
	ctx, s := Request(ctx, "PATCH")
	s.Number("http.response.status_code", 200).End(nil)
	run.End(ctx.Err())
}

// deep is a context as an operation has it: some eight others around it.
func deep() context.Context {
	type some int
	ctx := context.Background()
	for i := range 8 {
		ctx = context.WithValue(ctx, some(i), i)
	}
	return ctx
}

func BenchmarkOff(b *testing.B) {
	var tr Tracer
	ctx := deep()
	b.ReportAllocs()
	for b.Loop() {
		work(&tr, ctx)
	}
}

type nobody struct{}

func (nobody) Record(*Data) {}

func BenchmarkOn(b *testing.B) {
	var tr Tracer
	tr.Use(nobody{}, 1)
	ctx := deep()
	b.ReportAllocs()
	for b.Loop() {
		work(&tr, ctx)
	}
}
