package scim

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/provhub/provhub/connectors/connector"
)

// directory answers listings by index from ids, as a target without faults does.
func directory(ids []string, most int) func(q url.Values) map[string]any {
	return func(q url.Values) map[string]any {
		start, _ := strconv.Atoi(q.Get("startIndex"))
		count, err := strconv.Atoi(q.Get("count"))
		if err != nil || count > most {
			count = most
		}
		from := min(max(start, 1)-1, len(ids))
		return listOfIDs(len(ids), ids[from:min(from+count, len(ids))]...)
	}
}

func ids(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("u%03d", i)
	}
	return out
}

// list collects the ids of a listing.
func list0(t *testing.T, c *Client) ([]string, ListEnd, error) {
	t.Helper()
	var got []string
	end, err := c.List(t.Context(), Query{Type: Users}, func(r Resource) error {
		got = append(got, r.ID())
		return nil
	})
	return got, end, err
}

// QUIRKS SCIM-16, SCIM-17, SCIM-20: the fault switches of a listing by index.
func TestAListingByIndex(t *testing.T) {
	all := ids(7)
	plain := directory(all, 100)
	for _, tt := range []struct {
		name      string
		overrides map[string]any
		answer    func(q url.Values) map[string]any
		got       int
		complete  bool
		reason    string
	}{
		{"everything on one page", nil, plain, 7, true, ""},
		{"several pages", map[string]any{"page_default": 3}, plain, 7, true, ""},
		{"fewer than asked is not the end", map[string]any{"page_default": 5}, directory(all, 2), 7, true, ""},
		{"nobody there", nil, directory(nil, 100), 0, true, ""},
		{"no totalResults", map[string]any{"page_default": 3}, func(q url.Values) map[string]any {
			b := plain(q)
			delete(b, "totalResults")
			return b
		}, 7, true, ""},
		{"lower-case resources", map[string]any{"page_default": 3}, func(q url.Values) map[string]any {
			b := plain(q)
			return map[string]any{"resources": b["Resources"], "TOTALRESULTS": "7"}
		}, 7, true, ""},
		{"totalResults too big", map[string]any{"page_default": 3}, func(q url.Values) map[string]any {
			b := plain(q)
			b["totalResults"] = 9
			return b
		}, 7, false, "the target counts 9 and listed 7"},
		{"totalResults too big, a hint only", map[string]any{"page_default": 3, "total_results": "hint"}, func(q url.Values) map[string]any {
			b := plain(q)
			b["totalResults"] = 9
			return b
		}, 7, true, ""},
		{"totalResults too small", map[string]any{"page_default": 3}, func(q url.Values) map[string]any {
			b := plain(q)
			b["totalResults"] = 3
			return b
		}, 7, false, "the target counts 3 and listed 7"},
		{"totalResults counts the page", map[string]any{"page_default": 3}, func(q url.Values) map[string]any {
			b := plain(q)
			b["totalResults"] = len(b["Resources"].([]any))
			return b
		}, 7, false, "the target counts 1 and listed 7"},
		{"startIndex is not looked at", map[string]any{"page_default": 3}, func(url.Values) map[string]any { return listOfIDs(7, all[:3]...) }, 3, false, "the target counts 7 and listed 3"},
		{"startIndex is not looked at, and nothing is counted", map[string]any{"page_default": 3}, func(url.Values) map[string]any { return listOfIDs(-1, all[:3]...) }, 3, false, "the target repeats what it listed before"},
		{"everything comes each time", map[string]any{"page_default": 3}, func(url.Values) map[string]any { return listOfIDs(7, all...) }, 7, true, ""},
		{"ids come again on the next page", map[string]any{"page_default": 4}, func(q url.Values) map[string]any {
			if q.Get("startIndex") == "1" {
				return listOfIDs(7, all[:4]...)
			}
			return listOfIDs(7, all[2:6]...)
		}, 6, false, "the target counts 7 and listed 6"},
		{"a resource without id", nil, func(url.Values) map[string]any { return listOfIDs(2, "a", "") }, 1, false, "without an id"},
		{"paging none", map[string]any{"paging": "none"}, func(q url.Values) map[string]any {
			if len(q) > 0 {
				t.Errorf("asked with %v", q)
			}
			return listOfIDs(7, all...)
		}, 7, true, ""},
		{"paging none, and only a part comes", map[string]any{"paging": "none"}, func(url.Values) map[string]any { return listOfIDs(7, all[:5]...) }, 5, false, "the target counts 7 and listed 5"},
		{"page_max", map[string]any{"page_max": 2}, func(q url.Values) map[string]any {
			if q.Get("count") != "2" {
				t.Errorf("asked for %s", q.Get("count"))
			}
			return plain(q)
		}, 7, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 200, tt.answer(r.URL.Query())) })
			got, end, err := list0(t, s.client(t, tt.overrides))
			if err != nil || len(got) != tt.got || end.Distinct != tt.got || end.Complete != tt.complete || !strings.Contains(end.Reason, tt.reason) {
				t.Errorf("got %v, %+v, %v", got, end, err)
			}
			if n := len(s.lines()); n > 12 || n != end.Pages {
				t.Errorf("%d requests for %d pages", n, end.Pages)
			}
		})
	}
}

func TestAListingWithAFailedPageIsNotComplete(t *testing.T) {
	all := ids(9)
	for status, want := range map[int]string{500: "failed UNAVAILABLE", 429: "failed RATE_LIMITED", 400: "failed CONFIGURATION"} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("startIndex") == "3" {
				reply(w, status, refusal(status, "", ""))
				return
			}
			reply(w, 200, directory(all, 3)(r.URL.Query()))
		})
		got, end, err := list0(t, s.client(t, nil))
		if answer(err) != want || len(got) != 3 || end.Complete || end.Reason == "" {
			t.Errorf("%d: got %v, %+v, %v", status, got, end, err)
		}
	}
}

func TestATargetThatRefusesToLookBehindTheEndIsAtTheEnd(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("startIndex") == "4" {
			reply(w, 400, refusal(400, "invalidValue", "startIndex"))
			return
		}
		reply(w, 200, directory(ids(3), 1)(r.URL.Query()))
	})
	if got, end, err := list0(t, s.client(t, nil)); err != nil || !end.Complete || len(got) != 3 || !strings.Contains(strings.Join(s.lines(), " "), "startIndex=4") {
		t.Errorf("got %v, %+v, %v", got, end, err)
	}
}

// QUIRKS SCIM-16: positions shift when somebody deletes while the list is read.
// Nobody who is there from beginning to end is passed over.
func TestDeletionsBetweenPagesHideNobody(t *testing.T) {
	for gone := range 5 {
		all, page := ids(20), 0
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if page++; page == 3 {
				all = append(slices.Clone(all[gone:]), "new") // and as many new ones as the count needs
			}
			reply(w, 200, directory(all, 3)(r.URL.Query()))
		})
		got, end, err := list0(t, s.client(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids(20)[gone:] {
			if !slices.Contains(got, id) {
				t.Errorf("%d gone: %s is passed over: %v, %+v", gone, id, got, end)
			}
		}
	}
}

func TestAListThatNeverStandsStillIsNotComplete(t *testing.T) {
	n := 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var page []string
		for range 3 {
			n++
			page = append(page, fmt.Sprint("v", n))
		}
		reply(w, 200, listOfIDs(1000, page...))
	})
	if got, end, err := list0(t, s.client(t, nil)); err != nil || end.Complete {
		t.Errorf("got %d, %+v, %v", len(got), end, err)
	}
}

func TestAPageThatIsTooLargeIsHalved(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n, _ := strconv.Atoi(r.URL.Query().Get("count")); n > 30 {
			reply(w, 413, refusal(413, "", ""))
			return
		}
		reply(w, 200, directory(ids(60), 100)(r.URL.Query()))
	})
	if got, end, err := list0(t, s.client(t, nil)); err != nil || !end.Complete || len(got) != 60 {
		t.Errorf("got %d, %+v, %v", len(got), end, err)
	}
}

func TestAListingStopsWhereItsReaderDoes(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 200, directory(ids(9), 3)(r.URL.Query())) })
	stop := errors.New("enough")
	end, err := s.client(t, nil).List(t.Context(), Query{Type: Users}, func(Resource) error { return stop })
	if !errors.Is(err, stop) || end.Complete || len(s.lines()) != 1 {
		t.Errorf("got %+v, %v", end, err)
	}
}

func TestWhatCannotBeListedIsNotAsked(t *testing.T) {
	s := serve(t, always(200, listOfIDs(0)))
	for _, tt := range []struct {
		overrides map[string]any
		q         Query
	}{
		{map[string]any{"list_without_filter": false}, Query{Type: Users}},
		{map[string]any{"group_ops": []string{}}, Query{Type: Groups}},
		{map[string]any{"filter_ops": []string{"eq"}}, Query{Type: Users, Filter: Present("title")}},
	} {
		if end, err := s.client(t, tt.overrides).List(t.Context(), tt.q, nil); answer(err) != "failed UNSUPPORTED" || end.Complete {
			t.Errorf("%v: got %+v, %v", tt.overrides, end, err)
		}
	}
	if n := len(s.lines()); n > 0 {
		t.Errorf("%d requests", n)
	}
}

// cursors answers listings by cursor. The cursor holds what must be encoded.
func cursors(pages ...[]string) func(q url.Values) map[string]any {
	return func(q url.Values) map[string]any {
		n := 0
		if c := q.Get("cursor"); c != "" {
			n, _ = strconv.Atoi(strings.TrimSuffix(c, "+=/: &"))
		}
		b := listOfIDs(-1, pages[n]...)
		if n+1 < len(pages) {
			b["nextCursor"] = fmt.Sprintf("%d+=/: &", n+1)
		}
		return b
	}
}

// QUIRKS SCIM-18, SCIM-19: pages by cursor.
func TestAListingByCursor(t *testing.T) {
	pages := cursors([]string{"a", "b"}, nil, []string{"c"}, []string{"d", "a"})
	for _, paging := range []string{"cursor", "auto", "index"} { // also unasked
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 200, pages(r.URL.Query())) })
		got, end, err := list0(t, s.client(t, map[string]any{"paging": paging, "page_default": 2}))
		if err != nil || !end.Complete || !slices.Equal(got, []string{"a", "b", "c", "d"}) || end.Pages != 4 {
			t.Errorf("%s: got %v, %+v, %v", paging, got, end, err)
		}
		lines := s.lines()
		first := map[string]string{"cursor": "cursor&count=2", "auto": "startIndex=1&count=2", "index": "startIndex=1&count=2"}[paging]
		want := []string{first, "cursor=1%2B%3D%2F%3A%20%26&count=2", "cursor=2%2B%3D%2F%3A%20%26&count=2", "cursor=3%2B%3D%2F%3A%20%26&count=2"}
		for i := range want {
			if lines[i] != "GET /scim/v2/Users?"+want[i] {
				t.Errorf("%s: asked %s; want %s", paging, lines[i], want[i])
			}
		}
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 200, pages(r.URL.Query())) })
	if _, _, err := list0(t, s.client(t, map[string]any{"paging": "cursor", "cursor_first": "omitted"})); err != nil || s.lines()[0] != "GET /scim/v2/Users?count=100" {
		t.Errorf("omitted: %v", err)
	}
}

func TestACursorThatExpiresStartsTheListingAnew(t *testing.T) {
	for scimType, tt := range map[string]struct {
		times int // how often it expires
		want  string
	}{"expiredCursor": {2, "applied"}, "invalidCursor": {1, "applied"}, "EXPIREDCURSOR": {3, "failed UNAVAILABLE"}} {
		expired := 0
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Query().Get("cursor"), "2") && expired < tt.times {
				expired++
				reply(w, 400, refusal(400, scimType, ""))
				return
			}
			reply(w, 200, cursors([]string{"a"}, []string{"b"}, []string{"c"})(r.URL.Query()))
		})
		got, end, err := list0(t, s.client(t, map[string]any{"paging": "cursor"}))
		if answer(err) != tt.want || end.Complete != (err == nil) || err == nil && !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("%s: got %v, %+v, %v", scimType, got, end, err)
		}
	}
}

func TestACursorThatGoesInACircleEnds(t *testing.T) {
	n := 0
	for name, next := range map[string]func() string{"the same": func() string { return "x" }, "another each time": func() string { n++; return fmt.Sprint("c", n) }} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			b := listOfIDs(-1, "a")
			b["nextCursor"] = next()
			reply(w, 200, b)
		})
		got, end, err := list0(t, s.client(t, nil))
		if err != nil || end.Complete || !strings.Contains(end.Reason, "cursor leads nowhere") || len(got) != 1 {
			t.Errorf("%s: got %v, %+v, %v", name, got, end, err)
		}
	}
}

func TestAListingByCursorCountsToo(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b := cursors([]string{"a"}, []string{"b"})(r.URL.Query())
		b["totalResults"] = 3
		reply(w, 200, b)
	})
	if _, end, err := list0(t, s.client(t, map[string]any{"paging": "cursor"})); err != nil || end.Complete {
		t.Errorf("got %+v, %v", end, err)
	}
}

// QUIRKS SCIM-7: zero, one and many are three outcomes, whatever the target sends.
func TestALookupChecksItsHits(t *testing.T) {
	row := func(id, name, mail string) any {
		return map[string]any{"id": id, "userName": name, "emails": []any{map[string]any{"value": mail, "type": "work"}}}
	}
	for _, tt := range []struct {
		name, path, value string
		rows              []any
		want              string
	}{
		{"one", "userName", "jane", []any{row("1", "JANE", "a")}, "1"},
		{"none", "userName", "jane", nil, "failed NOT_FOUND"},
		{"the filter was not looked at", "userName", "jane", []any{row("1", "john", "a"), row("2", "jane", "b"), row("3", "jack", "c")}, "2"},
		{"nobody really", "userName", "jane", []any{row("1", "john", "a")}, "failed NOT_FOUND"},
		{"many", "userName", "jane", []any{row("1", "Jane", "a"), row("2", "jane", "b")}, "failed AMBIGUOUS"},
		{"the same twice", "userName", "jane", []any{row("1", "Jane", "a"), row("1", "Jane", "a")}, "1"},
		{"by case", "id", "A1", []any{row("a1", "x", "a"), row("A1", "y", "b")}, "A1"},
		{"by mail", "emails.value", "B@x", []any{row("1", "x", "a@x"), row("2", "y", "b@x")}, "2"},
		{"without the attribute", "externalId", "e", []any{row("1", "x", "a@x")}, "failed NOT_FOUND"},
	} {
		s := serve(t, always(200, map[string]any{"totalResults": len(tt.rows), "Resources": append([]any{}, tt.rows...)}))
		r, err := s.client(t, nil).Find(t.Context(), Users, tt.path, tt.value, Selection{})
		got := r.ID()
		if err != nil {
			got = answer(err)
		}
		if got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, got, tt.want)
		}
		if n := len(s.lines()); n != 1 {
			t.Errorf("%s: %d requests", tt.name, n)
		}
	}
}

func TestALookupAsksForWhatItChecks(t *testing.T) {
	s := serve(t, always(200, listOfIDs(1, "jane")))
	if _, err := s.client(t, nil).Find(t.Context(), Users, "userName", "jane", Selection{Attributes: []string{"id"}}); err != nil {
		t.Fatal(err)
	}
	if got := s.lines()[0]; got != `GET /scim/v2/Users?filter=userName%20eq%20%22jane%22&startIndex=1&count=100&attributes=id%2CuserName` {
		t.Errorf("asked %s", got)
	}
	s.lines()
	c := s.client(t, map[string]any{"attributes_param": "none", "paging": "none"})
	if _, err := c.Find(t.Context(), Users, "userName", "jane", Selection{Attributes: []string{"id"}, Excluded: []string{"groups"}}); err != nil {
		t.Fatal(err)
	}
	if got := s.lines()[0]; got != `GET /scim/v2/Users?filter=userName%20eq%20%22jane%22&excludedAttributes=groups` {
		t.Errorf("asked %s", got)
	}
}

// QUIRKS SCIM-9: no personal data in the address where the target allows that.
func TestASearchByPOSTKeepsDataOutOfTheAddress(t *testing.T) {
	s := serve(t, always(200, listOfIDs(1, "jane")))
	if _, err := s.client(t, map[string]any{"post_search": true}).Find(t.Context(), Users, "userName", "jane", Selection{Excluded: []string{"groups"}}); err != nil {
		t.Fatal(err)
	}
	a := s.take()[0]
	want := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName eq \"jane\"","startIndex":1,"count":100,"excludedAttributes":["groups"]}`
	if a.line != "POST /scim/v2/Users/.search" || !same(t, a.body, want) {
		t.Errorf("asked %s with %s", a.line, a.body)
	}
	gone := serve(t, always(502, ""))
	if _, err := gone.client(t, map[string]any{"post_search": true}).Find(t.Context(), Users, "userName", "jane", Selection{}); answer(err) != "failed UNAVAILABLE" {
		t.Errorf("a search is never in doubt: %v", err)
	}
}

func TestAPathThatIsNoneIsNotAsked(t *testing.T) {
	s := serve(t, always(200, listOfIDs(0)))
	if _, err := s.client(t, nil).Find(t.Context(), Users, "user name", "x", Selection{}); !connector.IsCode(err, connector.CodeConfiguration) || len(s.lines()) > 0 {
		t.Errorf("got %v", err)
	}
}
