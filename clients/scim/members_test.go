package scim

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/provhub/provhub/connectors/connector"
)

// crowd answers PATCH of a group; members called bad… are refused with a status.
func crowd(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet:
			reply(w, 200, `{"id":"g","displayName":"g","members":[{"value":"there"}]}`)
		case strings.Contains(bodyOf(r), "bad"):
			reply(w, status, refusal(status, "", "no such member"))
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}
}

func bodyOf(r *http.Request) string {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return ""
	}
	return string(raw)
}

func adds(ids ...string) []MemberChange {
	var out []MemberChange
	for _, id := range ids {
		out = append(out, MemberChange{ID: id})
	}
	return out
}

func removes(ids ...string) []MemberChange {
	out := adds(ids...)
	for i := range out {
		out[i].Remove = true
	}
	return out
}

// QUIRKS SCIM-28: the forms of a change of members, within the limits of the profile.
func TestMembersInTheFormOfTheProfile(t *testing.T) {
	both := append(adds("a", "b"), removes("c", "d")...)
	for _, tt := range []struct {
		name      string
		overrides map[string]any
		changes   []MemberChange
		want      []string
	}{
		{"together", nil, both, []string{
			`{"op":"remove","path":"members[value eq \"c\"]"},{"op":"remove","path":"members[value eq \"d\"]"},{"op":"add","path":"members","value":[{"value":"a"},{"value":"b"}]}`}},
		{"not mixed", map[string]any{"member_mix": false, "member_remove_style": "value_array", "op_case": "capital"}, both, []string{
			`{"op":"Remove","path":"members","value":[{"value":"c"},{"value":"d"}]}`, `{"op":"Add","path":"members","value":[{"value":"a"},{"value":"b"}]}`}},
		{"one removal, two adds", map[string]any{"member_mix": false, "member_add_max": 2, "member_remove_max": 1}, append(adds("a", "b", "e"), removes("c", "d")...), []string{
			`{"op":"remove","path":"members[value eq \"c\"]"}`, `{"op":"remove","path":"members[value eq \"d\"]"}`,
			`{"op":"add","path":"members","value":[{"value":"a"},{"value":"b"}]}`, `{"op":"add","path":"members","value":[{"value":"e"}]}`}},
		{"mixed within limits", map[string]any{"member_add_max": 1, "member_remove_max": 1}, both, []string{
			`{"op":"remove","path":"members[value eq \"c\"]"}`, `{"op":"remove","path":"members[value eq \"d\"]"},{"op":"add","path":"members","value":[{"value":"a"}]}`,
			`{"op":"add","path":"members","value":[{"value":"b"}]}`}},
		{"operations within limits", map[string]any{"patch_max_ops": 2}, append(adds("a"), removes("c", "d", "e", "f")...), []string{
			`{"op":"remove","path":"members[value eq \"c\"]"},{"op":"remove","path":"members[value eq \"d\"]"}`,
			`{"op":"remove","path":"members[value eq \"e\"]"},{"op":"remove","path":"members[value eq \"f\"]"}`, `{"op":"add","path":"members","value":[{"value":"a"}]}`}},
		{"wrapped", map[string]any{"members_wrap": "object", "member_remove_style": "value_array"}, append(adds("a"), removes("b")...), []string{
			`{"op":"remove","path":"members","value":{"members":[{"value":"b"}]}},{"op":"add","path":"members","value":{"members":[{"value":"a"}]}}`}},
		{"wrapped without path", map[string]any{"members_wrap": "pathless_object"}, adds("a"), []string{`{"op":"add","value":{"members":[{"value":"a"}]}}`}},
		{"with names", map[string]any{"member_display_required": true}, []MemberChange{{ID: `a"]`, Display: "Ann"}, {ID: `b"]`, Remove: true}}, []string{
			`{"op":"remove","path":"members[value eq \"b\\\"]\"]"},{"op":"add","path":"members","value":[{"display":"Ann","value":"a\"]"}]}`}},
	} {
		s := serve(t, always(204, nil))
		for i, err := range s.client(t, tt.overrides).ChangeMembers(t.Context(), "g", tt.changes) {
			if err != nil {
				t.Errorf("%s, %d: %v", tt.name, i, err)
			}
		}
		got := s.bodies()
		for i, want := range tt.want {
			want = `{"Operations":[` + want + `],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}`
			if i >= len(got) || got[i] != want {
				t.Errorf("%s: got\n%s\nwant %d:\n%s", tt.name, strings.Join(got, "\n"), i, want)
				break
			}
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s: %d requests, want %d", tt.name, len(got), len(tt.want))
		}
	}
}

func TestManyMembersGoInFewRequests(t *testing.T) {
	for name, want := range map[string]int{"aws-identity-center": 3, "entra-target": 13} {
		p, err := LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		s := serve(t, always(204, nil))
		c := clientFor(t, Options{BaseURL: s.URL, Profile: p})
		if errs := c.ChangeMembers(t.Context(), "g", adds(ids(250)...)); slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
			t.Errorf("%s: %v", name, errs)
		}
		if got := len(s.lines()); got != want {
			t.Errorf("%s: %d requests, want %d", name, got, want)
		}
	}
}

// QUIRKS SCIM-30: one bad member harms no other.
func TestABadMemberIsFoundByBisection(t *testing.T) {
	for status, want := range map[int]string{400: "failed INVALID_VALUE", 404: "failed NOT_FOUND", 500: "unknown UNAVAILABLE", 422: "failed INVALID_VALUE"} {
		s := serve(t, crowd(status))
		changes := adds(ids(64)...)
		changes[17].ID, changes[50].ID = "bad1", "bad2"
		for i, err := range s.client(t, nil).ChangeMembers(t.Context(), "g", changes) {
			if bad := i == 17 || i == 50; bad && answer(err) != want || !bad && err != nil {
				t.Errorf("%d: member %d: %v", status, i, err)
			}
		}
		patches := 0
		for _, l := range s.lines() {
			if strings.HasPrefix(l, "PATCH") {
				patches++
			}
		}
		if patches > 30 {
			t.Errorf("%d: %d requests for two of 64", status, patches)
		}
	}
}

func TestWhatIsSoAlreadyIsDone(t *testing.T) {
	for name, tt := range map[string]struct {
		status    int
		scimType  string
		overrides map[string]any
		ch        MemberChange
		want      string
	}{
		"who is a member is added again":                 {500, "", nil, MemberChange{ID: "there"}, "unchanged"},
		"who is a member is added again, as a conflict":  {409, "", nil, MemberChange{ID: "there"}, "unchanged"},
		"who is none is removed":                         {400, "noTarget", nil, MemberChange{ID: "other", Remove: true}, "unchanged"},
		"who is a member cannot be removed":              {400, "noTarget", nil, MemberChange{ID: "there", Remove: true}, "failed INVALID_VALUE"},
		"nobody can be asked, and nothing was removed":   {400, "noTarget", map[string]any{"members_read": "none"}, MemberChange{ID: "other", Remove: true}, "unchanged"},
		"nobody can be asked, and the removal is denied": {400, "mutability", map[string]any{"members_read": "none"}, MemberChange{ID: "other", Remove: true}, "failed POLICY"},
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				reply(w, 200, `{"id":"g","members":[{"value":"there"}]}`)
				return
			}
			reply(w, tt.status, refusal(tt.status, tt.scimType, ""))
		})
		if err := s.client(t, tt.overrides).ChangeMembers(t.Context(), "g", []MemberChange{tt.ch})[0]; answer(err) != tt.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWithoutTheGroupNobodyIsBlamed(t *testing.T) {
	s := serve(t, always(404, refusal(404, "", "")))
	got := s.client(t, nil).ChangeMembers(t.Context(), "g", append(adds("a", "b"), removes("c")...))
	for i, want := range []string{"failed DEPENDENCY_MISSING", "failed DEPENDENCY_MISSING", "unchanged"} {
		if answer(got[i]) != want {
			t.Errorf("member %d: %v", i, got[i])
		}
	}
	if n := len(s.lines()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// What stops one request stops the rest; those that were not sent are not in doubt.
func TestATargetThatIsDownIsNotAskedForEachMember(t *testing.T) {
	for status, want := range map[int][2]string{503: {"failed UNAVAILABLE", "failed UNAVAILABLE"}, 502: {"unknown UNAVAILABLE", "failed UNAVAILABLE"}, 401: {"failed AUTHENTICATION", "failed AUTHENTICATION"}, 429: {"failed RATE_LIMITED", "failed RATE_LIMITED"}} {
		s := serve(t, always(status, nil))
		got := s.client(t, map[string]any{"member_add_max": 2}).ChangeMembers(t.Context(), "g", adds("a", "b", "c", "d", "e"))
		for i, err := range got {
			if w := want[min(i/2, 1)]; answer(err) != w {
				t.Errorf("%d: member %d: %v; want %s", status, i, err, w)
			}
		}
		if n := len(s.lines()); n != 1 {
			t.Errorf("%d: %d requests", status, n)
		}
	}
}

func TestATargetThatIgnoresBadMembersIsAskedAgain(t *testing.T) {
	s := serve(t, crowd(204))
	got := s.client(t, map[string]any{"bad_member": "ignored"}).ChangeMembers(t.Context(), "g", adds("there", "nobody"))
	if got[0] != nil || answer(got[1]) != "failed NOT_FOUND" {
		t.Errorf("got %v", got)
	}
}

// QUIRKS SCIM-29: who is a member is asked in the way that the target answers.
func TestWhoIsAMember(t *testing.T) {
	for _, tt := range []struct {
		name      string
		profile   string
		overrides map[string]any
		answer    any
		asked     string
		has       bool
		err       string
	}{
		{"shown", "", nil, `{"id":"g","members":[{"value":"a"},{"value":"u"}]}`, "GET /Groups/g?attributes=id%2Cmembers", true, "applied"},
		{"shown, and not there", "", nil, `{"id":"g","members":[{"value":"U"}]}`, "GET /Groups/g?attributes=id%2Cmembers", false, "applied"},
		{"by a filter on members", "", map[string]any{"members_read": "filter_only"}, listOfIDs(1, "g"), `GET /Groups?filter=id eq "g" and members.value eq "u"&startIndex=1&count=100&attributes=id`, true, "applied"},
		{"by a filter, and another group comes", "", map[string]any{"members_read": "filter_only"}, listOfIDs(1, "h"), `GET /Groups?filter=id eq "g" and members.value eq "u"&startIndex=1&count=100&attributes=id`, false, "applied"},
		{"AWS", "aws-identity-center", nil, listOfIDs(1, "g"), `GET /Groups?filter=id eq "g" and members eq "u"&cursor&count=100`, true, "applied"},
		{"Entra", "entra-target", nil, listOfIDs(1, "u"), `GET /Users?filter=id eq "u" and groups.value eq "g"&cursor&count=100&attributes=id`, true, "applied"},
		{"not at all", "", map[string]any{"members_read": "none"}, nil, "", false, "failed UNSUPPORTED"},
		{"no filter works", "", map[string]any{"members_read": "filter_only", "filter_ops": []string{"eq"}}, nil, "", false, "failed UNSUPPORTED"},
	} {
		p, err := LoadProfile(tt.profile)
		if err == nil {
			p, err = p.With(tt.overrides)
		}
		if err != nil {
			t.Fatal(err)
		}
		s := serve(t, always(200, tt.answer))
		has, err := clientFor(t, Options{BaseURL: s.URL, Profile: p}).HasMember(t.Context(), "g", "u")
		got := strings.Join(s.lines(), "; ")
		got = strings.NewReplacer("%20", " ", "%22", `"`).Replace(got)
		if has != tt.has || answer(err) != tt.err || got != tt.asked {
			t.Errorf("%s: got %t, %v after %s", tt.name, has, err, got)
		}
	}
}

func TestMembersByPUTKeepTheOthers(t *testing.T) {
	s := serve(t, crowd(400))
	got := s.client(t, map[string]any{"group_update": "put_merge"}).ChangeMembers(t.Context(), "g", append(adds("a", "there"), removes("x")...))
	if slices.ContainsFunc(got, func(err error) bool { return err != nil }) {
		t.Errorf("got %v", got)
	}
	asked := s.take()
	if len(asked) != 2 || asked[1].line != "PUT /scim/v2/Groups/g" || !same(t, asked[1].body, `{"id":"g","displayName":"g","schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"members":[{"value":"there"},{"value":"a"}]}`) {
		t.Errorf("asked %+v", asked)
	}
}

func TestMembersThatCannotBeChanged(t *testing.T) {
	s := serve(t, always(204, nil))
	for want, overrides := range map[string]map[string]any{
		"failed UNSUPPORTED":   {"group_ops": []string{"read"}},
		"failed INVALID_VALUE": {"member_display_required": true},
	} {
		if err := s.client(t, overrides).ChangeMembers(t.Context(), "g", adds("a"))[0]; answer(err) != want {
			t.Errorf("got %v; want %s", err, want)
		}
	}
	if n := len(s.lines()); n > 0 {
		t.Errorf("%d requests", n)
	}
}

func TestANewGroupWithMembers(t *testing.T) {
	s := serve(t, always(201, `{"id":"g"}`))
	g := Resource{"displayName": "g", "members": []any{map[string]any{"value": "a"}, map[string]any{"value": "b"}}}
	for want, overrides := range map[string]map[string]any{
		"applied": nil, "failed TOO_LARGE": {"member_add_max": 1}, "failed UNSUPPORTED": {"group_create_members": "empty_first"},
	} {
		if _, err := s.client(t, overrides).Create(t.Context(), Groups, g); answer(err) != want {
			t.Errorf("got %v; want %s", err, want)
		}
	}
	if _, err := s.client(t, map[string]any{"group_ops": []string{"read"}}).Create(t.Context(), Groups, g); answer(err) != "failed UNSUPPORTED" {
		t.Errorf("got %v", err)
	}
}

func TestMemberRequestsAreThoseThatAreSent(t *testing.T) {
	c := clientFor(t, Options{BaseURL: "https://scim.example", Profile: profile(t, map[string]any{"member_add_max": 2})})
	rs, err := c.MemberRequests("g", adds("a", "b", "c"))
	if err != nil || len(rs) != 2 || fmt.Sprint(rs[0]) != "PATCH /Groups/g" {
		t.Errorf("got %v, %v", rs, err)
	}
	if _, err := c.MemberRequests("", adds("a")); err == nil || errors.Is(err, connector.Unchanged) {
		t.Errorf("got %v", err)
	}
}
