package scim

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// Request is one request to the target, ready to be sent or shown.
type Request struct {
	Op     OpKind
	Type   ResourceType // "": neither users nor groups
	Method string
	Path   string // below the base address, ids escaped
	// Query is percent-encoded. It can hold personal data: it never goes into a log
	// or an error.
	Query   string
	IfMatch string // version that the resource must still have; "": any
	Body    any    // sent as JSON; nil: none
}

// String returns method and path, without query and body.
func (r Request) String() string { return r.Method + " " + r.Path }

// Collection returns the path of all resources of type t.
func (p *Profile) Collection(t ResourceType) string {
	path := p.UsersPath
	if t == Groups {
		path = p.GroupsPath
	}
	if p.TrailingSlash && !strings.HasSuffix(path, "/") {
		path += "/"
	}
	return path
}

// Item returns the path of one resource. An id that a path cannot hold is refused:
// "." and ".." would name something else.
func (p *Profile) Item(t ResourceType, id string) (string, error) {
	if id == "" || id == "." || id == ".." {
		return "", connector.Errorf(connector.CodeInvalidValue, "%q is not the id of a resource", id)
	}
	path := p.UsersPath
	if t == Groups {
		path = p.GroupsPath
	}
	return strings.TrimSuffix(path, "/") + "/" + url.PathEscape(id), nil
}

// itemRequest makes a request about one resource.
func (p *Profile) itemRequest(op OpKind, method string, t ResourceType, id string, body any) (Request, error) {
	path, err := p.Item(t, id)
	return Request{Op: op, Type: t, Method: method, Path: path, Body: body}, err
}

// parameters are those of a query, in the order in which they were added. They are
// encoded with %20 and never with +, which some targets take for a plus.
type parameters struct{ b strings.Builder }

func (q *parameters) add(name, value string) {
	if q.b.Len() > 0 {
		q.b.WriteByte('&')
	}
	q.b.WriteString(name)
	if value != "" {
		q.b.WriteByte('=')
		q.b.WriteString(escapeQuery(value))
	}
}

func (q *parameters) String() string { return q.b.String() }

// escapeQuery encodes a component of a query.
func escapeQuery(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") // a plus itself is %2B by now
}

// selection adds the parameters that say which attributes to read.
func (p *Profile) selection(q *parameters, s Selection) {
	if len(s.Attributes) > 0 && p.AttributesParam == ParameterAuto {
		q.add("attributes", strings.Join(s.Attributes, ","))
	}
	if len(s.Excluded) > 0 && p.ExcludedAttributesParam == ParameterAuto {
		q.add("excludedAttributes", strings.Join(s.Excluded, ","))
	}
}

// classes returns the names under which rates count the request, the narrowest first.
func (r Request) classes() []RateClass {
	method, kind := "read", "read"
	switch r.Method {
	case http.MethodPost:
		method, kind = "create", "write"
	case http.MethodPatch:
		method, kind = "patch", "write"
	case http.MethodPut:
		method, kind = "put", "write"
	case http.MethodDelete:
		method, kind = "delete", "write"
	}
	if r.Op == OpRead {
		method, kind = "read", "read"
	}
	out := []RateClass{RateClass(method), RateClass(kind), "all"}
	if r.Type != "" {
		of := strings.TrimSuffix(string(r.Type), "s") + "_"
		out = append([]RateClass{RateClass(of + method), RateClass(of + kind)}, out...)
	}
	return out
}
