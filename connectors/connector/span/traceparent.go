package span

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"strings"
)

// TraceID names a trace, ID a span (W3C Trace Context §3.2.2); the zero values name none.
type (
	TraceID [16]byte
	ID      [8]byte
)

// sampled is the flag of a traceparent that says: this trace is recorded.
const sampled = 1

// Ids need not be secret, only different: math/rand/v2 is seeded by the system.
func newTraceID() (t TraceID) {
	a, b := newID(), newID()
	copy(t[:8], a[:])
	copy(t[8:], b[:])
	return t
}

func newID() (id ID) {
	for n := rand.Uint64(); ; n = rand.Uint64() {
		for i := range id {
			id[i] = byte(n >> (8 * i))
		}
		if id != (ID{}) {
			return id
		}
	}
}

// Traceparent returns what ctx says is under way in the form of the W3C header, ""
// when that is not known.
func Traceparent(ctx context.Context) string {
	s := of(ctx)
	if s == nil {
		return ""
	}
	flags := "-00"
	if s.flags&sampled != 0 {
		flags = "-01"
	}
	return "00-" + s.Trace.String() + "-" + hex.EncodeToString(s.ID[:]) + flags
}

// Trace returns the id of the trace that ctx belongs to, "" when it belongs to none.
func Trace(ctx context.Context) string {
	if s := of(ctx); s != nil {
		return s.Trace.String()
	}
	return ""
}

// String returns the id in hexadecimal digits.
func (t TraceID) String() string { return hex.EncodeToString(t[:]) }

// Recorded reports whether spans that are begun in ctx are recorded here.
func Recorded(ctx context.Context) bool {
	s := of(ctx)
	return s != nil && s.to != nil
}

// Remote returns ctx with what is under way elsewhere, by its traceparent. One that is
// not in order (W3C Trace Context §3.2.2) is passed over, and so is none.
func Remote(ctx context.Context, traceparent string) context.Context {
	s, ok := parse(traceparent)
	if !ok {
		return ctx
	}
	return s.In(ctx)
}

// parse reads version-trace-span-flags in lower case. A later version may have more
// behind that.
func parse(traceparent string) (*Span, bool) {
	const length = len("00-") + 32 + len("-") + 16 + len("-01")
	if len(traceparent) < length || traceparent[:2] == "ff" || len(traceparent) > length && (traceparent[:2] == "00" || traceparent[length] != '-') {
		return nil, false
	}
	fields := strings.SplitN(traceparent, "-", 5)
	if len(fields) < 4 || strings.ToLower(traceparent) != traceparent {
		return nil, false
	}
	var version, flags [1]byte
	s := &Span{remote: true}
	for i, into := range [][]byte{version[:], s.Trace[:], s.ID[:], flags[:]} {
		if len(fields[i]) != 2*len(into) {
			return nil, false
		}
		if _, err := hex.Decode(into, []byte(fields[i])); err != nil {
			return nil, false
		}
	}
	s.flags = flags[0]
	return s, s.Trace != TraceID{} && s.ID != ID{}
}
