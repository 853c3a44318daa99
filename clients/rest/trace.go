package rest

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/provhub/provhub/connectors/connector/span"
)

// trace begins the span of a request. It has what OpenTelemetry's conventions for HTTP
// clients ask for, but the URL: paths and filters hold what people are called.
func (c *Client) trace(ctx context.Context, method string) (context.Context, *span.Span) {
	ctx, s := span.Request(ctx, method)
	if s == nil {
		return ctx, nil
	}
	usual := map[string]string{"http": "80", "https": "443"}[c.base.Scheme]
	s.Text("http.request.method", method).To(c.base.Hostname(), cmp.Or(c.base.Port(), usual))
	return ctx, s
}

// traceEnd ends the span with the answer, nil when there is none. A status of failure
// ends it as one, whatever the caller makes of it.
func traceEnd(s *span.Span, a *Answer, err error) {
	if s == nil {
		return
	}
	if a != nil {
		s.Number("http.response.status_code", a.Status)
	}
	if a != nil && a.Status >= http.StatusBadRequest {
		s.EndAs(strconv.Itoa(a.Status))
		return
	}
	s.End(err)
}
