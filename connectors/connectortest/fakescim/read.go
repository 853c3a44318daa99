package fakescim

import (
	"net/http"
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// get answers with one resource (RFC 7644 §3.4.1).
func (s *Server) get(q *request) (*reply, error) {
	p, err := projectionOf(q)
	if err != nil {
		return nil, err
	}
	var rep *reply
	s.dir.View(q.typ.Name, q.id, func(r *directory.Resource) {
		if r == nil || q.rules.hidden(r) {
			return
		}
		if q.rules.ETag != scim.ETagNone && matches(q.header.Get("If-None-Match"), r.ETag()) {
			rep = answer(http.StatusNotModified, nil)
		} else {
			rep = answer(http.StatusOK, s.render(q, p, r))
		}
		s.tag(q, rep, r)
	})
	if rep == nil {
		return nil, notFound()
	}
	return rep, nil
}

// hidden reports whether the dialect denies that the resource is there: users
// that are disabled, on some.
func (r *rules) hidden(x *directory.Resource) bool {
	return r.DisabledVisible == scim.DisabledHidden && x.Type.Name == "User" && !x.Active()
}

// tag adds location and version of a resource to an answer about it alone.
func (s *Server) tag(q *request, rep *reply, r *directory.Resource) {
	rep.header.Set("Location", q.location(r))
	if q.rules.ETag != scim.ETagNone {
		rep.header.Set("ETag", r.ETag())
	}
}

// precondition holds If-Match against the resource (RFC 7644 §3.14).
func (q *request) precondition(r *directory.Resource) error {
	want := q.header.Get("If-Match")
	switch {
	case q.rules.ETag == scim.ETagNone:
		return nil
	case want == "" && q.rules.ETag == scim.ETagRequire:
		return schema.Refused(http.StatusPreconditionRequired, "the write must say by If-Match which version it is for")
	case want != "" && !matches(want, r.ETag()):
		return schema.Refused(http.StatusPreconditionFailed, "the resource has changed; its version is %s", r.ETag())
	}
	return nil
}

// matches reports whether a list of entity tags names tag. Weak and strong ones
// are alike here (RFC 7644 §3.14).
func matches(list, tag string) bool {
	for _, x := range strings.Split(list, ",") {
		x = strings.TrimSpace(x)
		if x == "*" || x != "" && strings.TrimPrefix(x, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}
