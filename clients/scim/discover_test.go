package scim

import (
	"net"
	"net/http"
	"strings"
	"testing"
)

// discovers answers the three discovery endpoints; a missing one with 404.
func discovers(t *testing.T, answers map[string]any) *target {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[strings.TrimPrefix(r.URL.Path, "/scim/v2")]
		if status, failed := body.(int); failed {
			reply(w, status, nil)
			return
		}
		if !ok {
			reply(w, 404, "<html>not found</html>")
			return
		}
		reply(w, 200, body)
	})
}

// QUIRKS SCIM-21: what cannot be read does not stop a connector.
func TestDiscoveryIsBestEffort(t *testing.T) {
	s := discovers(t, map[string]any{
		"/ServiceProviderConfig": `{"patch":{"supported":false},"filter":{"supported":true,"maxResults":50},"bulk":{"supported":true,"maxOperations":9,"maxPayloadSize":100},"etag":{"supported":false},"sort":{"supported":false},
			"pagination":{"cursor":true,"index":false,"maxPageSize":40}}`,
		"/Schemas": `{"resources":[{"id":"urn:ietf:params:scim:schemas:core:2.0:User","attributes":[{"name":"nickName","caseExact":true}]},{"id":7}]}`,
	})
	c := s.client(t, map[string]any{"sort_param": "auto"})
	d, err := c.Discover(t.Context())
	if err != nil || d.Config == nil || len(d.Schemas) != 1 || d.ResourceTypes != nil || len(d.Problems) != 2 {
		t.Fatalf("got %+v, %v", d, err)
	}
	p := c.Profile()
	if p.UserUpdate != UpdatePutMerge || p.PageMax != 40 || p.Paging != PagingCursor || p.Bulk != BulkSupported || p.BulkMaxOps != 9 || p.BulkMaxBytes != 100 || p.ETag != ETagNone || p.SortParam != ParameterAuto || !p.CanBulk() {
		t.Errorf("got %v", p.Settings())
	}
	if !c.Attributes().CaseExact(MustPath("nickName")) || p.Origin("page_max").Kind != OriginDiscovered {
		t.Error("what was discovered does not count")
	}
}

func TestDiscoveryThatClaimsNothing(t *testing.T) {
	s := discovers(t, map[string]any{"/ServiceProviderConfig": `{"filter":{"supported":false},"bulk":{"supported":false},"pagination":{"index":true}}`})
	c := s.client(t, nil)
	if _, err := c.Discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := c.Profile(); len(p.FilterOps) > 0 || p.Bulk != BulkNone || p.Paging != PagingIndex || p.UserUpdate != UpdatePatch {
		t.Errorf("got %v", p.Settings())
	}
	slack, err := LoadProfile("slack")
	if err != nil {
		t.Fatal(err)
	}
	over := clientFor(t, Options{BaseURL: s.URL + "/scim/v2", Profile: slack})
	if _, err := over.Discover(t.Context()); err != nil || len(over.Profile().FilterOps) == 0 {
		t.Errorf("a profile beats what the target says of itself: %v, %v", over.Profile().FilterOps, err)
	}
}

func TestDiscoveryThatFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if _, err := clientFor(t, Options{BaseURL: "http://" + l.Addr().String()}).Discover(t.Context()); answer(err) != "failed UNAVAILABLE" {
		t.Errorf("down: %v", err)
	}
	for status, want := range map[int]string{401: "applied", 403: "applied", 500: "applied", 429: "failed RATE_LIMITED", 503: "failed UNAVAILABLE"} {
		s := discovers(t, map[string]any{"/ServiceProviderConfig": status, "/Schemas": status, "/ResourceTypes": status})
		if _, err := s.client(t, nil).Discover(t.Context()); answer(err) != want {
			t.Errorf("%d: got %v", status, err)
		}
	}
	s := discovers(t, nil)
	if _, err := s.client(t, map[string]any{"discovery": "required"}).Discover(t.Context()); err == nil {
		t.Error("what is required is missing, and nobody says so")
	}
	s.lines()
	if d, err := s.client(t, map[string]any{"discovery": "none"}).Discover(t.Context()); err != nil || d.Config != nil || len(s.lines()) > 0 {
		t.Errorf("none: %+v, %v", d, err)
	}
}
