package scim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// bulkTarget answers bulk requests of up to most operations; each operation has
// the status that its bulkId ends in.
func bulkTarget(t *testing.T, most int) *target {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Operations []struct {
				BulkID, Method, Path string
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.URL.Path != "/scim/v2/Bulk" {
			reply(w, 400, nil)
			return
		}
		if len(in.Operations) > most {
			reply(w, 413, refusal(413, "", ""))
			return
		}
		out := []any{}
		for _, o := range in.Operations {
			var status int
			_, _ = fmt.Sscanf(o.BulkID[strings.LastIndex(o.BulkID, "-")+1:], "%d", &status)
			switch {
			case status == 0: // left out
			case status < 300:
				out = append(out, map[string]any{"bulkId": o.BulkID, "method": o.Method, "status": fmt.Sprint(status), "version": `W/"1"`, "location": "https://scim.example/scim/v2/Users/" + o.BulkID})
			default:
				out = append(out, map[string]any{"bulkId": o.BulkID, "method": o.Method, "status": status, "response": refusal(status, "", "why")})
			}
		}
		reply(w, 200, map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkResponse"}, "operations": out})
	})
}

func bulkOps(ids ...string) []BulkOp {
	var out []BulkOp
	for _, id := range ids {
		out = append(out, BulkOp{Method: "POST", Path: "/Users", BulkID: id, Data: map[string]any{"userName": id}})
	}
	return out
}

// QUIRKS SCIM-22: split to the limits, each operation answered for itself.
func TestBulkAnswersEachOperation(t *testing.T) {
	for _, tt := range []struct {
		name      string
		overrides map[string]any
		most      int
		requests  int
	}{
		{"all at once", nil, 100, 1},
		{"by number", map[string]any{"bulk_max_ops": 2}, 2, 3},
		{"by size", map[string]any{"bulk_max_bytes": 370}, 100, 2},
		{"halved when refused", nil, 3, 3},
	} {
		s := bulkTarget(t, tt.most)
		over := map[string]any{"bulk": "supported"}
		for k, v := range tt.overrides {
			over[k] = v
		}
		got := s.client(t, over).Bulk(t.Context(), bulkOps("a-201", "b-409", "c-0", "d-200", "e-500"))
		for i, want := range []string{"applied", "failed ALREADY_EXISTS", "unknown UNAVAILABLE", "applied", "unknown UNAVAILABLE"} {
			if answer(got[i].Err) != want {
				t.Errorf("%s, %d: got %v; want %s", tt.name, i, got[i].Err, want)
			}
		}
		if got[0].ID != "a-201" || got[0].Version != `W/"1"` || got[1].ID != "" {
			t.Errorf("%s: got %+v", tt.name, got)
		}
		if n := len(s.lines()); n != tt.requests {
			t.Errorf("%s: %d requests, want %d", tt.name, n, tt.requests)
		}
	}
}

// QUIRKS SCIM-23: an operation that comes too early holds back the next requests,
// for as long as the answer as a whole says.
func TestBulkOperationsThatComeTooEarly(t *testing.T) {
	for _, tt := range []struct {
		after string
		least time.Duration
	}{{"7", 7 * time.Second}, {"", time.Second}} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if tt.after != "" {
				w.Header().Set("Retry-After", tt.after)
			}
			reply(w, 200, `{"Operations":[{"bulkId":"a","status":"201","location":"/Users/1"},{"bulkId":"b","status":"429"},{"bulkId":"c","status":"429"}]}`)
		})
		c := s.client(t, map[string]any{"bulk": "supported"})
		got := c.Bulk(t.Context(), bulkOps("a", "b", "c"))
		if got[0].Err != nil {
			t.Errorf("one that was done: %v", got[0].Err)
		}
		for _, a := range got[1:] {
			if e := connector.AsError(a.Err); answer(a.Err) != "failed RATE_LIMITED" || e.RetryAfter < tt.least-100*time.Millisecond || !a.Answered {
				t.Errorf("after %q: got %+v", tt.after, a)
			}
		}
		if tt.after == "" {
			continue
		}
		if again := c.Bulk(t.Context(), bulkOps("b", "c")); answer(again[0].Err) != "failed RATE_LIMITED" || again[0].Answered || len(s.lines()) != 1 {
			t.Errorf("the next request is not held back: %+v", again)
		}
	}
}

func TestBulkThatCannotBe(t *testing.T) {
	s := bulkTarget(t, 100)
	for _, bulk := range []string{"none", "auto"} {
		if got := s.client(t, map[string]any{"bulk": bulk}).Bulk(t.Context(), bulkOps("a-201")); answer(got[0].Err) != "failed UNSUPPORTED" {
			t.Errorf("%s: %v", bulk, got[0].Err)
		}
	}
	c := s.client(t, map[string]any{"bulk": "supported", "bulk_max_bytes": 300})
	got := c.Bulk(t.Context(), []BulkOp{{Method: "POST", Path: "/Users", BulkID: "a-201", Data: strings.Repeat("x", 400)}, bulkOps("b-201")[0]})
	if answer(got[0].Err) != "failed TOO_LARGE" || got[1].Err != nil {
		t.Errorf("got %+v", got)
	}
	down := serve(t, always(502, nil))
	got = down.client(t, map[string]any{"bulk": "supported", "bulk_max_ops": 1}).Bulk(t.Context(), bulkOps("a-201", "b-201"))
	if answer(got[0].Err) != "unknown UNAVAILABLE" || answer(got[1].Err) != "failed UNAVAILABLE" || len(down.lines()) != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestBulkAnswersWithoutBulkIDGoByTheirPlace(t *testing.T) {
	s := serve(t, always(200, `{"Operations":[{"method":"DELETE","status":"204"},{"method":"DELETE","status":{"code":404}},{"method":"PATCH"}]}`))
	got := s.client(t, map[string]any{"bulk": "supported"}).Bulk(t.Context(), []BulkOp{{Method: "DELETE", Path: "/Users/1"}, {Method: "DELETE", Path: "/Users/2"}, {Method: "PATCH", Path: "/Groups/2"}})
	for i, want := range []string{"applied", "unchanged", "unknown UNAVAILABLE"} {
		if answer(got[i].Err) != want {
			t.Errorf("%d: got %v; want %s", i, got[i].Err, want)
		}
	}
}

func TestLiveBulk(t *testing.T) {
	c, prefix := live(t, map[string]any{"bulk": "supported", "bulk_max_ops": 2})
	ops := bulkOps(prefix+"a", prefix+"b", prefix+"a")
	for i := range ops {
		ops[i].BulkID = fmt.Sprint("op", i)
	}
	got := c.Bulk(t.Context(), ops)
	for _, a := range got[:2] {
		if a.Err != nil || a.ID == "" {
			t.Fatalf("got %+v", got)
		}
		if err := c.Delete(t.Context(), Users, a.ID, ""); err != nil {
			t.Error(err)
		}
	}
	if answer(got[2].Err) != "failed ALREADY_EXISTS" {
		t.Errorf("the same again: %v", got[2].Err)
	}
}
