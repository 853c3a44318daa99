package connector

import (
	"context"
	"strings"
)

type callKey struct{}

// WithCall returns ctx for carrying out an operation: whatever is logged or requested
// with it can say what it is for. The SDK does so; a connector seldom needs to.
func WithCall(ctx context.Context, c Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallOf returns the call that ctx is for; ok is false when it is for none, as in a
// check or a listing.
func CallOf(ctx context.Context) (c Call, ok bool) {
	c, ok = ctx.Value(callKey{}).(Call)
	return c, ok
}

// Operation names the hub's operation that the call is a step of: what `provhub ops
// show` takes.
func (c Call) Operation() string {
	operation, _, _ := strings.Cut(c.ID, "/")
	return operation
}
