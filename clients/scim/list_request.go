package scim

import (
	"fmt"
	"net/http"
	"strings"
)

// request makes the request for the next page.
func (l *listing) request() Request {
	r := Request{Op: OpRead, Type: l.q.Type, Method: http.MethodGet, Path: l.p.Collection(l.q.Type)}
	if l.text != "" && l.p.PostSearch {
		r.Method, r.Path, r.Body = http.MethodPost, strings.TrimSuffix(r.Path, "/")+"/.search", l.search()
		return r
	}
	var q parameters
	if l.text != "" {
		q.add("filter", l.text)
	}
	switch l.mode {
	case PagingIndex:
		q.add("startIndex", fmt.Sprint(l.at))
	case PagingCursor:
		if l.cursor != "" || l.p.CursorFirst == CursorPresent {
			q.add("cursor", l.cursor)
		}
	}
	if l.count > 0 && l.mode != PagingNone {
		q.add("count", fmt.Sprint(l.count))
	}
	l.p.selection(&q, l.q.Selection)
	r.Query = q.String()
	return r
}

// search is the body of POST …/.search (RFC 7644 §3.4.3).
func (l *listing) search() map[string]any {
	b := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}, "filter": l.text}
	switch {
	case l.mode == PagingIndex:
		b["startIndex"] = l.at
	case l.mode == PagingCursor && (l.cursor != "" || l.p.CursorFirst == CursorPresent):
		b["cursor"] = l.cursor
	}
	if l.count > 0 && l.mode != PagingNone {
		b["count"] = l.count
	}
	if len(l.q.Attributes) > 0 && l.p.AttributesParam == ParameterAuto {
		b["attributes"] = l.q.Attributes
	}
	if len(l.q.Excluded) > 0 && l.p.ExcludedAttributesParam == ParameterAuto {
		b["excludedAttributes"] = l.q.Excluded
	}
	return b
}
