package fakescim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// The schemas of messages (RFC 7644 §8.2).
const (
	urnError  = "urn:ietf:params:scim:api:messages:2.0:Error"
	urnList   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	urnPatch  = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	urnSearch = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	urnBulkIn = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	urnBulk   = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

const scimJSON = "application/scim+json"

// maxBody bounds a request; a body of this size is a fault of the client.
const maxBody = 32 << 20

// request is one SCIM request, alone or within a bulk request.
type request struct {
	method string
	path   string // below the base path, such as /Users/2819c223
	query  url.Values
	header http.Header
	body   map[string]any // nil: none
	rules  *rules
	base   string // address of the service, for locations

	// Set by the router.
	typ *schema.Type
	id  string
}

// reply is the answer to a request.
type reply struct {
	status int
	header http.Header
	body   any // JSON; nil: none
}

func answer(status int, body any) *reply { return &reply{status, http.Header{}, body} }

// errorBody is the body that an error is answered with (RFC 7644 §3.12).
func errorBody(e *schema.Error) map[string]any {
	m := map[string]any{"schemas": []string{urnError}, "status": itoa(e.Status), "detail": e.Detail}
	if e.Type != "" {
		m["scimType"] = e.Type
	}
	return m
}

// readBody reads the JSON object in a request's body; nil when there is none.
func readBody(r *http.Request) (map[string]any, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, schema.Bad(schema.InvalidSyntax, "the body ends too soon")
	case len(raw) > maxBody:
		return nil, schema.Refused(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", maxBody)
	case len(bytes.TrimSpace(raw)) == 0:
		return nil, nil
	}
	return parseObject(raw)
}

func parseObject(raw []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil || m == nil {
		return nil, schema.Bad(schema.InvalidSyntax, "the body is no JSON object")
	}
	if dec.More() {
		return nil, schema.Bad(schema.InvalidSyntax, "there is more than one JSON value in the body")
	}
	return m, nil
}

// field returns what the body has under name, in any case (RFC 7643 §2.1).
func field(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	for k, v := range m {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

// follows reports whether a message says that it is of the schema urn.
func follows(m map[string]any, urn string) bool {
	list, _ := field(m, "schemas").([]any)
	for _, x := range list {
		if s, ok := x.(string); ok && strings.EqualFold(s, urn) {
			return true
		}
	}
	return false
}

func writeJSON(w http.ResponseWriter, contentType string, status int, body any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // the client may have gone
}
