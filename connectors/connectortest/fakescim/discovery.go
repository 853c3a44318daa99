package fakescim

import (
	"net/http"
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// The schemas of what discovery tells (RFC 7643 §5 to §7).
const (
	urnConfig       = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	urnSchema       = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	urnResourceType = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
)

// discover tells what the service is (RFC 7644 §4). name is "" for all of a kind.
func (s *Server) discover(q *request, path, name string) (*reply, error) {
	switch {
	case q.method != http.MethodGet:
		return nil, schema.Refused(http.StatusMethodNotAllowed, "%s is not for this address", q.method)
	case q.rules.noDiscovery, q.rules.Discovery == scim.DiscoveryNone:
		return nil, schema.Refused(http.StatusNotFound, "there is nothing at this address")
	case q.query.Has("filter"):
		return nil, schema.Refused(http.StatusForbidden, "what the service tells of itself cannot be searched")
	case path == q.rules.SPCPath:
		return answer(http.StatusOK, s.providerConfig(q)), nil
	}
	all := s.schemaList(q)
	if path == q.rules.ResourceTypesPath {
		all = s.resourceTypes(q)
	}
	if name == "" {
		return answer(http.StatusOK, map[string]any{"schemas": []string{urnList}, "totalResults": len(all), "itemsPerPage": len(all), "startIndex": 1, q.rules.resourcesName(): all}), nil
	}
	for _, x := range all {
		if strings.EqualFold(x["id"].(string), name) {
			return answer(http.StatusOK, x), nil
		}
	}
	return nil, notFound()
}

// bulkMaxOps and bulkMaxBytes bound a bulk request where the dialect says nothing.
const (
	bulkMaxOps   = 1000
	bulkMaxBytes = 1 << 20
)

// providerConfig is what the service says of its abilities (RFC 7643 §5, RFC 9865 §4).
func (s *Server) providerConfig(q *request) map[string]any {
	r := q.rules
	can := func(v bool) map[string]any { return map[string]any{"supported": v != r.lies} }
	with := func(m map[string]any, more map[string]any) map[string]any {
		for k, v := range more {
			m[k] = v
		}
		return m
	}
	ops, bytes := r.bulkLimits()
	most := r.PageMax
	if most == 0 {
		most = pageMax
	}
	byIndex := r.Paging == scim.PagingAuto || r.Paging == scim.PagingIndex
	method := "index"
	if !byIndex {
		method = "cursor"
	}
	return map[string]any{
		"schemas":        []string{urnConfig},
		"patch":          can(r.patches()),
		"bulk":           with(can(r.bulks()), map[string]any{"maxOperations": ops, "maxPayloadSize": bytes}),
		"filter":         with(can(len(r.FilterOps) > 0), map[string]any{"maxResults": most}),
		"changePassword": can(true),
		"sort":           can(!(r.SortParam == scim.ParameterNone && r.declared("sort_param"))),
		"etag":           can(r.ETag != scim.ETagNone),
		"pagination": map[string]any{"index": byIndex, "cursor": r.Paging == scim.PagingAuto || r.Paging == scim.PagingCursor,
			"defaultPaginationMethod": method, "defaultPageSize": r.PageDefault, "maxPageSize": most, "cursorTimeout": int(cursorLife.Seconds())},
		"authenticationSchemes": s.authSchemes(),
		"meta":                  map[string]any{"resourceType": "ServiceProviderConfig", "location": q.base + r.SPCPath},
	}
}

func (r *rules) patches() bool {
	return !r.declared("user_update") || r.UserUpdate == scim.UpdatePatch
}

func (s *Server) authSchemes() []map[string]any {
	out := []map[string]any{{"type": "oauthbearertoken", "name": "OAuth Bearer Token", "description": "A bearer token (RFC 6750)", "primary": true}}
	if s.options.Basic != (Login{}) {
		out = append(out, map[string]any{"type": "httpbasic", "name": "HTTP Basic", "description": "A name and a password (RFC 7617)"})
	}
	return out
}

func (s *Server) schemaList(q *request) (all []map[string]any) {
	add := func(d *schema.Document) {
		all = append(all, map[string]any{"schemas": []string{urnSchema}, "id": d.ID, "name": d.Name, "description": d.Description, "attributes": d.Attributes,
			"meta": map[string]any{"resourceType": "Schema", "location": q.base + q.rules.SchemasPath + "/" + d.ID}})
	}
	for _, t := range s.types {
		add(t.Core)
		for _, e := range t.Extensions {
			add(e.Document)
		}
	}
	return all
}

func (s *Server) resourceTypes(q *request) (all []map[string]any) {
	for _, t := range s.types {
		if t.Name == "Group" && len(q.rules.GroupOps) == 0 {
			continue
		}
		extensions := []map[string]any{}
		for _, e := range t.Extensions {
			extensions = append(extensions, map[string]any{"schema": e.ID, "required": e.Required})
		}
		all = append(all, map[string]any{"schemas": []string{urnResourceType}, "id": t.Name, "name": t.Name, "endpoint": q.rules.path(t), "description": t.Core.Description,
			"schema": t.Core.ID, "schemaExtensions": extensions, "meta": map[string]any{"resourceType": "ResourceType", "location": q.base + q.rules.ResourceTypesPath + "/" + t.Name}})
	}
	return all
}
