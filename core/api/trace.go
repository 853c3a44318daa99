package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/provhub/provhub/connectors/connector/span"
)

// traced serves a route in a span of its own, in the caller's trace where that names one.
func (a *API) traced(route string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx := span.Remote(r.Context(), r.Header.Get("traceparent"))
		ctx, s := a.o.Traces.Answer(ctx, route)
		r = r.WithContext(ctx)
		if s == nil {
			next(w, r)
			return
		}
		method, path, _ := strings.Cut(route, " ")
		s.Text("http.request.method", method).Text("http.route", path).Text("url.scheme", scheme(r)).Text("url.path", r.URL.Path)
		seen := &watched{w, http.StatusOK}
		defer func() { s.Number("http.response.status_code", seen.status).EndAs(failure(seen.status)) }()
		next(seen, r)
	}
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// failure is the code of a status that is a failure of ours, "" for others.
func failure(status int) string {
	if status < http.StatusInternalServerError {
		return ""
	}
	return strconv.Itoa(status)
}

// watched remembers the status of an answer.
type watched struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
