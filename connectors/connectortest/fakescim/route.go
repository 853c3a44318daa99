package fakescim

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// route finds who answers a request (RFC 7644 §3.2).
func (s *Server) route(q *request) (*reply, error) {
	path, err := q.rules.slashed(q.path)
	if err != nil {
		return nil, err
	}
	switch path {
	case q.rules.SPCPath, q.rules.SchemasPath, q.rules.ResourceTypesPath:
		return s.discover(q, path, "")
	case "/Bulk":
		return s.bulk(q)
	case "/Me", "/.search":
		return nil, schema.Refused(http.StatusNotImplemented, "%s is not offered", path)
	}
	for _, t := range s.types {
		rest, ok := strings.CutPrefix(path, q.rules.path(t))
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		id, err := url.PathUnescape(strings.TrimPrefix(rest, "/"))
		if err != nil || strings.Contains(rest[min(1, len(rest)):], "/") || rest == "/" {
			return nil, notFound()
		}
		q.typ, q.id = t, id
		return s.resources(q)
	}
	for _, of := range []string{q.rules.SchemasPath, q.rules.ResourceTypesPath} {
		if name, ok := strings.CutPrefix(path, of+"/"); ok {
			return s.discover(q, of, name)
		}
	}
	return nil, schema.Refused(http.StatusNotFound, "there is nothing at this address")
}

// slashed returns the path without the slash that the dialect wants at the end of
// a collection's address.
func (r *rules) slashed(path string) (string, error) {
	if !r.TrailingSlash {
		return path, nil
	}
	for _, collection := range []string{r.UsersPath, r.GroupsPath} {
		switch path {
		case collection:
			return "", schema.Refused(http.StatusNotFound, "there is nothing at this address; it lacks a slash at its end")
		case collection + "/":
			return collection, nil
		}
	}
	return path, nil
}

// resources answers what is about users or about groups.
func (s *Server) resources(q *request) (*reply, error) {
	if err := q.offered(); err != nil {
		return nil, err
	}
	switch {
	case q.id == ".search" && q.method == http.MethodPost:
		return s.search(q)
	case q.id == "" && q.method == http.MethodGet:
		return s.list(q)
	case q.id == "" && q.method == http.MethodPost:
		return s.create(q)
	case q.id != "" && q.method == http.MethodGet:
		return s.get(q)
	case q.id != "" && q.method == http.MethodPut:
		return s.replace(q)
	case q.id != "" && q.method == http.MethodPatch:
		return s.patch(q)
	case q.id != "" && q.method == http.MethodDelete:
		return s.remove(q)
	}
	return nil, schema.Refused(http.StatusMethodNotAllowed, "%s is not for this address", q.method)
}

// groupVerb is what a method does to a group.
var groupVerb = map[string]scim.GroupOp{
	http.MethodGet: scim.GroupRead, http.MethodPost: scim.GroupCreate, http.MethodPut: scim.GroupUpdate,
	http.MethodPatch: scim.GroupUpdate, http.MethodDelete: scim.GroupDelete,
}

// offered says what the dialect does not offer at all.
func (q *request) offered() error {
	r := q.rules
	update := r.UpdateMethod(typeOf(q.typ))
	said := r.declared(map[string]string{"User": "user_update", "Group": "group_update"}[q.typ.Name])
	missing := func(what string) error {
		return schema.Refused(http.StatusNotImplemented, "%s is not offered", what)
	}
	if q.typ.Name == "Group" {
		verb := groupVerb[q.method]
		if q.id == ".search" {
			verb = scim.GroupRead
		}
		switch {
		case len(r.GroupOps) == 0:
			return schema.Refused(http.StatusNotFound, "there are no groups")
		case !contains(r.GroupOps, verb):
			return missing(q.method + " of groups")
		}
	}
	switch {
	case q.id == ".search" && !r.PostSearch && r.declared("post_search"):
		return missing(".search")
	case q.method == http.MethodPut && said && (update == scim.UpdatePatch || update == scim.UpdateNone):
		return missing("PUT")
	case q.method == http.MethodPatch && said && update != scim.UpdatePatch:
		return missing("PATCH")
	case q.method == http.MethodDelete && r.DeleteEffect(typeOf(q.typ)) == scim.DeleteForbidden:
		return schema.Refused(http.StatusMethodNotAllowed, "a %s cannot be deleted", q.typ.Name)
	}
	return nil
}

func notFound() error { return schema.Refused(http.StatusNotFound, "the resource is not found") }

func contains[T comparable](list []T, v T) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}
