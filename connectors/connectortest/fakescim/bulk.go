package fakescim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// bulks reports whether bulk requests are taken.
func (r *rules) bulks() bool { return !r.declared("bulk") || r.Bulk != scim.BulkNone }

func (r *rules) bulkLimits() (ops, bytes int) {
	ops, bytes = r.BulkMaxOps, r.BulkMaxBytes
	if ops == 0 {
		ops = bulkMaxOps
	}
	if bytes == 0 {
		bytes = bulkMaxBytes
	}
	return ops, bytes
}

// bulkOp is one operation of a bulk request.
type bulkOp struct {
	method, path, id, version string
	data                      map[string]any
}

// bulk carries out several operations, in order, each for itself (RFC 7644 §3.7).
func (s *Server) bulk(q *request) (*reply, error) {
	if q.method != http.MethodPost {
		return nil, schema.Refused(http.StatusMethodNotAllowed, "%s is not for this address", q.method)
	}
	if !q.rules.bulks() {
		return nil, schema.Refused(http.StatusNotImplemented, "bulk requests are not offered")
	}
	list, limit, err := q.bulkBody()
	if err != nil {
		return nil, err
	}
	return answer(http.StatusOK, map[string]any{"schemas": []string{urnBulk}, "Operations": s.bulkAll(q, list, limit)}), nil
}

// bulkAll carries out operations until limit of them failed; 0: all. One that
// refers to a resource of a later one waits for it (RFC 7644 §3.7.1).
func (s *Server) bulkAll(q *request, list []any, limit int) []any {
	made := map[string]string{} // bulkId → id
	results := []any{}
	failed := 0
	for last := false; len(list) > 0; {
		var waiting []any
		for _, x := range list {
			if limit > 0 && failed >= limit {
				return results
			}
			if m, _ := x.(map[string]any); !last && !resolvable(m, made) {
				waiting = append(waiting, x)
				continue
			}
			result, good := s.bulkOne(q, x, made)
			results = append(results, result)
			if !good {
				failed++
			}
		}
		last = len(waiting) == len(list)
		list = waiting
	}
	return results
}

// bulkBody reads the operations and after how many errors to stop; 0: never.
func (q *request) bulkBody() (list []any, failOnErrors int, err error) {
	if !follows(q.body, urnBulkIn) {
		return nil, 0, schema.Bad(schema.InvalidSyntax, "schemas does not list %s", urnBulkIn)
	}
	most, size := q.rules.bulkLimits()
	raw, err := json.Marshal(q.body)
	if err != nil {
		return nil, 0, err
	}
	list, _ = field(q.body, "Operations").([]any)
	switch {
	case len(list) == 0:
		return nil, 0, schema.Bad(schema.InvalidSyntax, "Operations is missing or empty")
	case len(list) > most:
		return nil, 0, schema.Refused(http.StatusRequestEntityTooLarge, "a bulk request has at most %d operations (maxOperations)", most)
	case len(raw) > size:
		return nil, 0, schema.Refused(http.StatusRequestEntityTooLarge, "a bulk request has at most %d bytes (maxPayloadSize)", size)
	}
	if n, ok := field(q.body, "failOnErrors").(json.Number); ok {
		limit, err := n.Int64()
		if err != nil || limit < 0 {
			return nil, 0, schema.Bad(schema.InvalidValue, "failOnErrors: a number is needed")
		}
		failOnErrors = int(limit)
	}
	return list, failOnErrors, nil
}

// bulkOne carries out one operation.
func (s *Server) bulkOne(q *request, x any, made map[string]string) (result map[string]any, good bool) {
	m, _ := x.(map[string]any)
	o := bulkOp{}
	o.method, _ = field(m, "method").(string)
	o.method = strings.ToUpper(o.method)
	o.path, _ = field(m, "path").(string)
	o.id, _ = field(m, "bulkId").(string)
	o.version, _ = field(m, "version").(string)
	o.data, _ = field(m, "data").(map[string]any)
	result = map[string]any{"method": o.method}
	if o.id != "" {
		result["bulkId"] = o.id
	}
	rep, err := s.bulkRequest(q, o, made)
	if err != nil {
		rep = refusal(err)
	}
	result["status"] = itoa(rep.status)
	if at := rep.header.Get("Location"); at != "" {
		result["location"] = at
	}
	if tag := rep.header.Get("ETag"); tag != "" {
		result["version"] = tag
	}
	if rep.status >= 300 {
		result["response"] = rep.body
		return result, false
	}
	if body, ok := rep.body.(map[string]any); ok && o.method == http.MethodPost && o.id != "" {
		made[o.id], _ = body["id"].(string)
	}
	return result, true
}

func (s *Server) bulkRequest(q *request, o bulkOp, made map[string]string) (*reply, error) {
	switch {
	case !contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, o.method):
		return nil, schema.Bad(schema.InvalidSyntax, "method: %q is none of POST, PUT, PATCH, DELETE", o.method)
	case o.method == http.MethodPost && o.id == "":
		return nil, schema.Bad(schema.InvalidSyntax, "bulkId is missing")
	case strings.HasSuffix(o.path, "/.search"), strings.HasPrefix(o.path, "/Bulk"):
		return nil, schema.Bad(schema.InvalidPath, "path: %s has no place in a bulk request", o.path)
	}
	uses := false
	data, err := resolveRefs(o.data, made, &uses)
	if err != nil {
		return nil, err
	}
	path, err := resolveRefs(o.path, made, &uses)
	if err != nil {
		return nil, err
	}
	if uses && q.rules.declared("bulk_refs") && !q.rules.BulkRefs {
		return nil, schema.Bad(schema.InvalidValue, "bulkId references are not supported")
	}
	body, _ := data.(map[string]any)
	header := http.Header{}
	if o.version != "" {
		header.Set("If-Match", o.version)
	}
	return s.route(&request{method: o.method, path: path.(string), query: url.Values{}, header: header, body: body, rules: q.rules, base: q.base})
}
