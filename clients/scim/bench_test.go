package scim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// page is a list response with n users as targets send them.
func page(n int) []byte {
	rows := make([]any, n)
	for i := range rows {
		rows[i] = map[string]any{
			"schemas": []string{coreUser, EnterpriseUser}, "id": fmt.Sprintf("2819c223-7f76-453a-919d-%012d", i), "externalId": fmt.Sprint("E", i), "userName": fmt.Sprintf("user%d@example.org", i),
			"name": map[string]any{"givenName": "Given", "familyName": "Family"}, "active": true, "title": "Engineer",
			"emails":       []any{map[string]any{"type": "work", "value": fmt.Sprintf("user%d@example.org", i), "primary": true}},
			EnterpriseUser: map[string]any{"department": "R&D", "manager": map[string]any{"value": "m1"}},
			"meta":         map[string]any{"resourceType": "User", "version": `W/"1"`},
		}
	}
	raw, err := json.Marshal(map[string]any{"totalResults": n, "Resources": rows})
	if err != nil {
		panic(err)
	}
	return raw
}

func BenchmarkDecodeAPageOf100(b *testing.B) {
	raw := page(100)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readResource(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListAHundredPages(b *testing.B) {
	pages := make([][]byte, 100)
	for i := range pages {
		rows := make([]string, 100)
		for j := range rows {
			rows[j] = fmt.Sprintf("2819c223-7f76-453a-919d-%012d", i*100+j)
		}
		body, err := json.Marshal(listOfIDs(10_000, rows...))
		if err != nil {
			b.Fatal(err)
		}
		pages[i] = body
	}
	s := serve(b, func(w http.ResponseWriter, r *http.Request) {
		var start int
		_, _ = fmt.Sscan(r.URL.Query().Get("startIndex"), &start)
		if start > 10_000 {
			reply(w, 200, listOfIDs(10_000))
			return
		}
		_, _ = w.Write(pages[start/100])
	})
	c := s.client(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		end, err := c.List(b.Context(), Query{Type: Users}, func(Resource) error { n++; return nil })
		if err != nil || !end.Complete || n != 10_000 {
			b.Fatal(n, end, err)
		}
	}
}

func BenchmarkBuildAPatch(b *testing.B) {
	c := clientFor(b, Options{BaseURL: "https://scim.example"})
	u := Update{Type: Users, ID: "7", Current: object0(b, jane), Changes: []Change{
		set("title", "CEO"), set("name.givenName", "Janet"), set(dept, "Sales"), set(`emails[type eq "work"].value`, "n@x"), set("active", false)}}
	b.ReportAllocs()
	for b.Loop() {
		rs, err := c.UpdateRequests(b.Context(), u)
		if err != nil || len(rs) != 1 {
			b.Fatal(err)
		}
		if _, err := json.Marshal(rs[0].Body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMembers1000(b *testing.B) {
	c := clientFor(b, Options{BaseURL: "https://scim.example"})
	changes := adds(ids(1000)...)
	b.ReportAllocs()
	for b.Loop() {
		rs, err := c.MemberRequests("g", changes)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := json.Marshal(rs[0].Body); err != nil {
			b.Fatal(err)
		}
	}
}
