package api_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/core/api"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// broken is a hub to which pushes fail.
type broken struct{ err error }

func (b broken) Push(context.Context, hub.PushRequest, hub.DrainOptions) (hub.SyncResult, error) {
	return hub.SyncResult{}, b.err
}
func (broken) State() *store.Org { return nil }

// spans keeps those that were recorded.
type spans struct {
	mu  sync.Mutex
	all []span.Data
}

func (s *spans) Record(d *span.Data) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, *d)
}

// A request is a span in its caller's trace, and its log line names the trace, also when
// it fails. Who does not show the token leaves none.
func TestARequestIsTraced(t *testing.T) {
	const parent, route = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "/v1/sources/{source}/push"
	for name, tc := range map[string]struct {
		token, body string
		err         error
		status      int64
		code, log   string
	}{
		"it failed":       {"t", `{"anchor": "3"}`, errors.New("the disk is full"), 500, "500", "trace=4bf92f3577b34da6a3ce929d0e0e4736"},
		"nobody serves":   {"t", `{"anchor": "3"}`, hub.ErrNotServing, 503, "503", ""},
		"a bad request":   {"t", `{}`, hub.ErrPushRequest, 422, "", ""},
		"no JSON":         {"t", ``, nil, 400, "", ""},
		"without a token": {"", `{}`, nil, 401, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var tr span.Tracer
			var got spans
			var logs bytes.Buffer
			tr.Use(&got, 0)
			a, err := api.New(broken{tc.err}, api.Options{Token: connector.NewSecret("t"), Traces: &tr, Log: slog.New(slog.NewTextHandler(&logs, nil))})
			require.NoError(t, err)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/sources/hr/push", strings.NewReader(tc.body))
			r.Header.Set("Authorization", "Bearer "+tc.token)
			r.Header.Set("Traceparent", parent)
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			require.EqualValues(t, tc.status, w.Code)
			require.Contains(t, logs.String(), tc.log)
			if tc.token == "" {
				require.Empty(t, got.all)
				return
			}
			require.Len(t, got.all, 1)
			s := got.all[0]
			require.Equal(t, []any{"POST " + route, span.Server, tc.code, parent[3:35]}, []any{s.Name, s.Kind, s.Code, s.Trace.String()})
			if d := cmp.Diff([]span.Attribute{{Key: "http.request.method", Text: "POST"}, {Key: "http.route", Text: route}, {Key: "url.scheme", Text: "http"},
				{Key: "url.path", Text: "/v1/sources/hr/push"}, {Key: "http.response.status_code", Number: tc.status}}, s.Attributes); d != "" {
				t.Error(d)
			}
		})
	}
}
