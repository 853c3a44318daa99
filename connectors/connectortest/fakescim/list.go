package fakescim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// list answers with what matches a filter, a page at a time (RFC 7644 §3.4.2).
func (s *Server) list(q *request) (*reply, error) {
	p, err := projectionOf(q)
	if err != nil {
		return nil, err
	}
	find, err := q.find()
	if err != nil {
		return nil, err
	}
	page, err := q.pageOf()
	if err != nil {
		return nil, err
	}
	found, err := s.dir.Find(q.typ.Name, find)
	if err != nil {
		return nil, err
	}
	found = s.visible(q, find, found)
	cut, err := s.cursors.cut(q, page, found)
	if err != nil {
		return nil, err
	}
	resources := []any{}
	s.dir.Read(cut.resources, func(r *directory.Resource) { resources = append(resources, s.render(q, p, r)) })
	body := map[string]any{"schemas": []string{urnList}, "itemsPerPage": len(resources), q.rules.resourcesName(): resources}
	if q.rules.TotalResults != scim.TotalsAbsent {
		body["totalResults"] = max(0, cut.total+q.rules.totalBy)
	}
	if cut.next != "" {
		body["nextCursor"] = cut.next
	}
	if !cut.byCursor {
		body["startIndex"] = page.start
	}
	return answer(http.StatusOK, body), nil
}

func (r *rules) resourcesName() string {
	if r.lowerNames {
		return "resources"
	}
	return "Resources"
}

// find reads what is looked for, and in which order.
func (q *request) find() (directory.Query, error) {
	var f directory.Query
	text := q.query.Get("filter")
	if text == "" && q.query.Has("filter") {
		return f, schema.Bad(schema.InvalidFilter, "the filter is empty")
	}
	if text == "" && !q.rules.ListWithoutFilter {
		return f, schema.Bad(schema.InvalidFilter, "a filter is needed")
	}
	if text != "" {
		e, err := query.Parse(text)
		if err != nil {
			return f, schema.Bad(schema.InvalidFilter, "the filter ends %v", err)
		}
		if err := q.rules.filter(q.typ, text, e); err != nil {
			return f, err
		}
		f.Filter = e
	}
	by := q.query.Get("sortBy")
	if by == "" {
		return f, nil
	}
	if q.rules.SortParam == scim.ParameterNone && q.rules.declared("sort_param") {
		return f, schema.Bad(schema.InvalidValue, "the parameter sortBy is not supported")
	}
	a, err := query.ParseAttr(by)
	if err != nil {
		return f, schema.Bad(schema.InvalidPath, "sortBy: %v", err)
	}
	f.SortBy = &a
	switch order := strings.ToLower(q.query.Get("sortOrder")); order {
	case "", "ascending":
	case "descending":
		f.Descending = true
	default:
		return f, schema.Bad(schema.InvalidValue, "sortOrder is ascending or descending, not %q", order)
	}
	return f, nil
}

// visible takes out what the dialect or a fault hides.
func (s *Server) visible(q *request, find directory.Query, found []*directory.Resource) []*directory.Resource {
	hides := q.rules.DisabledVisible == scim.DisabledHidden && q.typ.Name == "User"
	if !hides && q.rules.blind == 0 {
		return found
	}
	hidden := map[*directory.Resource]bool{}
	since := s.options.Now().Add(-q.rules.blind)
	s.dir.Read(found, func(r *directory.Resource) {
		if q.rules.hidden(r) || q.rules.blind > 0 && r.Since.After(since) {
			hidden[r] = true
		}
	})
	return slices.DeleteFunc(slices.Clone(found), func(r *directory.Resource) bool { return hidden[r] })
}

// search is a listing whose parameters are in the body (RFC 7644 §3.4.3).
func (s *Server) search(q *request) (*reply, error) {
	if !follows(q.body, urnSearch) {
		return nil, schema.Bad(schema.InvalidSyntax, "schemas does not list %s", urnSearch)
	}
	q.query = url.Values{}
	for _, name := range []string{"filter", "sortBy", "sortOrder", "startIndex", "count", "cursor", "attributes", "excludedAttributes"} {
		switch x := field(q.body, name).(type) {
		case nil:
		case string:
			q.query.Set(name, x)
		case []any:
			for _, y := range x {
				text, ok := y.(string)
				if !ok {
					return nil, schema.Bad(schema.InvalidValue, "%s: a list of texts is needed", name)
				}
				q.query.Add(name, text)
			}
		default:
			q.query.Set(name, text(x))
		}
	}
	return s.list(q)
}
