package scim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// calls makes one request of each kind.
var calls = []struct {
	op  OpKind
	run func(*testing.T, *Client) error
}{
	{OpCreate, func(t *testing.T, c *Client) error {
		_, err := c.Create(t.Context(), Users, Resource{"userName": "jane"})
		return err
	}},
	{OpUpdate, func(t *testing.T, c *Client) error {
		_, err := c.Update(t.Context(), Update{Type: Users, ID: "7", Changes: []Change{{Path: MustPath("title"), Replace: []any{"x"}}}})
		return err
	}},
	{OpDelete, func(t *testing.T, c *Client) error { return c.Delete(t.Context(), Users, "7", "") }},
	{OpRead, func(t *testing.T, c *Client) error {
		_, err := c.Get(t.Context(), Users, "7", Selection{})
		return err
	}},
}

// QUIRKS SCIM-3, §7.3: what an answer means depends on what was asked.
func TestWhatAnAnswerMeans(t *testing.T) {
	one := func(s string) [4]string { return [4]string{s, s, s, s} }
	for _, tt := range []struct {
		status   int
		scimType string
		want     [4]string // create, update, delete, read
	}{
		{400, "invalidFilter", one("failed CONFIGURATION")},
		{400, "invalidPath", one("failed CONFIGURATION")},
		{400, "invalidSyntax", one("failed CONFIGURATION")},
		{400, "invalidVers", one("failed CONFIGURATION")},
		{400, "INVALIDVALUE", [4]string{"failed INVALID_VALUE", "failed INVALID_VALUE", "failed INVALID_VALUE", "failed CONFIGURATION"}},
		{400, "mutability", [4]string{"failed POLICY", "failed POLICY", "failed POLICY", "failed CONFIGURATION"}},
		{400, "sensitive", [4]string{"failed INVALID_VALUE", "failed INVALID_VALUE", "failed INVALID_VALUE", "failed CONFIGURATION"}},
		{400, "", [4]string{"failed INVALID_VALUE", "failed INVALID_VALUE", "failed INVALID_VALUE", "failed CONFIGURATION"}},
		{400, "tooMany", one("failed TOO_LARGE")},
		{400, "uniqueness", [4]string{"failed ALREADY_EXISTS", "failed ALREADY_EXISTS", "failed ALREADY_EXISTS", "failed INVALID_VALUE"}},
		{401, "", one("failed AUTHENTICATION")},
		{403, "", one("failed PERMISSION")},
		{404, "", [4]string{"failed CONFIGURATION", "failed NOT_FOUND", "unchanged", "failed NOT_FOUND"}},
		{410, "", [4]string{"failed CONFIGURATION", "failed NOT_FOUND", "unchanged", "failed NOT_FOUND"}},
		{405, "", one("failed CONFIGURATION")},
		{409, "uniqueness", [4]string{"failed ALREADY_EXISTS", "failed ALREADY_EXISTS", "failed VERSION_CONFLICT", "failed BUSY"}},
		{412, "", one("failed POLICY")}, // QUIRKS SCIM-15: no If-Match was sent
		{413, "", one("failed TOO_LARGE")},
		{422, "", [4]string{"failed INVALID_VALUE", "failed INVALID_VALUE", "failed INVALID_VALUE", "failed CONFIGURATION"}},
		{423, "", one("failed BUSY")},
		{429, "", one("failed RATE_LIMITED")},
		{500, "", [4]string{"unknown UNAVAILABLE", "unknown UNAVAILABLE", "unknown UNAVAILABLE", "failed UNAVAILABLE"}},
		{501, "", one("failed CONFIGURATION")},
		{502, "", [4]string{"unknown UNAVAILABLE", "unknown UNAVAILABLE", "unknown UNAVAILABLE", "failed UNAVAILABLE"}},
		{503, "", one("failed UNAVAILABLE")},
		{504, "", [4]string{"unknown TIMEOUT", "unknown TIMEOUT", "unknown TIMEOUT", "failed TIMEOUT"}},
		{408, "", [4]string{"unknown TIMEOUT", "unknown TIMEOUT", "unknown TIMEOUT", "failed TIMEOUT"}},
		{302, "", one("failed CONFIGURATION")},
		{418, "", one("failed INVALID_VALUE")},
	} {
		s := serve(t, always(tt.status, refusal(tt.status, tt.scimType, "why")))
		for i, call := range calls {
			err := call.run(t, s.client(t, nil))
			if got := answer(err); got != tt.want[i] {
				t.Errorf("%d %s on %s: got %s; want %s", tt.status, tt.scimType, call.op, got, tt.want[i])
			}
			if e := connector.AsError(err); tt.want[i] != "unchanged" && (e.Detail != "why" || !strings.HasPrefix(e.NativeCode, fmt.Sprintf("HTTP %d", tt.status))) {
				t.Errorf("%d %s on %s: got %+v", tt.status, tt.scimType, call.op, e)
			}
		}
	}
}

// A 403, and a refusal of what is sent, may concern one person alone.
func TestARefusalStopsNobodyElse(t *testing.T) {
	for status, want := range map[int]connector.Class{400: connector.ClassPermanent, 403: connector.ClassPermanent, 401: connector.ClassInstance, 405: connector.ClassInstance} {
		s := serve(t, always(status, refusal(status, "invalidPath", "")))
		_, err := s.client(t, nil).Update(t.Context(), activation("7", true, ""))
		if got := connector.AsError(err).Class(); got != want {
			t.Errorf("%d: got %s; want %s", status, got, want)
		}
	}
}

// QUIRKS SCIM-14, SCIM-15: the same status means two things.
func TestA412IsAConflictOfVersionsOnlyWhenOneWasSent(t *testing.T) {
	s := serve(t, always(412, refusal(412, "", "email domain not allowed")))
	for version, want := range map[string]string{"": "failed POLICY", `W/"3"`: "failed VERSION_CONFLICT"} {
		c := s.client(t, nil)
		u := activation("7", true, version)
		if _, err := c.Update(t.Context(), u); answer(err) != want {
			t.Errorf("%q: got %v; want %s", version, err, want)
		}
		if got := s.take()[0].head.Get("If-Match"); got != version {
			t.Errorf("If-Match was %q, want %q", got, version)
		}
	}
}

func TestAProfileSaysWhatAStatusMeans(t *testing.T) {
	rules := []any{
		map[string]any{"op": "create", "status": 409, "detail": "TAKEN by", "class": "conflict"},
		map[string]any{"status": 409, "class": "permanent"},
		map[string]any{"status": 400, "scim_type": "invalidPath", "class": "permanent"},
		map[string]any{"op": "delete", "status": 400, "class": "done"},
	}
	for _, tt := range []struct {
		call, status     int
		scimType, detail string
		want             string
	}{
		{0, 409, "", "name taken by another", "failed ALREADY_EXISTS"},
		{0, 409, "", "no seats", "failed INVALID_VALUE"},
		{1, 409, "", "name taken by another", "failed INVALID_VALUE"},
		{1, 400, "invalidPath", "", "failed INVALID_VALUE"},
		{2, 400, "", "no such user", "unchanged"},
	} {
		s := serve(t, always(tt.status, refusal(tt.status, tt.scimType, tt.detail)))
		if err := calls[tt.call].run(t, s.client(t, map[string]any{"status_map": rules})); answer(err) != tt.want {
			t.Errorf("%+v: got %v", tt, err)
		}
	}
}

// QUIRKS SCIM-62: a target that hides disabled users proves nothing with a 404.
func TestAHiddenUserIsNotTakenForAVanishedOne(t *testing.T) {
	s := serve(t, always(404, refusal(404, "", "")))
	c := s.client(t, map[string]any{"disabled_visible": "hidden"})
	if _, err := c.Update(t.Context(), Update{Type: Users, ID: "7", Changes: []Change{{Path: MustPath("title"), Replace: []any{"x"}}}}); answer(err) != "failed POLICY" {
		t.Errorf("update: %v", err)
	}
	if _, err := c.SetActive(t.Context(), "7", false, ""); !errors.Is(err, connector.Unchanged) {
		t.Errorf("disable: %v", err)
	}
	if _, err := c.SetActive(t.Context(), "7", true, ""); answer(err) != "failed POLICY" {
		t.Errorf("enable: %v", err)
	}
}

// QUIRKS SCIM-2: bodies come in many forms.
func TestErrorBodiesInTheWild(t *testing.T) {
	for body, want := range map[string][2]string{ // scimType, detail
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness","detail":"taken"}`: {"uniqueness", "taken"},
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":409,"scimtype":"uniqueness","Detail":"taken"}`:   {"uniqueness", "taken"},
		`{"schema":["urn:ietf:params:scim:api:messages:2.0:Error"],"schemas":null,"exceptionRequestId":"x","detail":"taken"}`: {"", "taken"},
		`{"Errors":[{"description":"taken","code":409}]}`:                                                                     {"", "taken"},
		`{"Errors":{"description":"taken","code":409}}`:                                                                       {"", "taken"},
		`{"message":"taken"}`:     {"", "taken"},
		`{"error":{"a":1},"x":1}`: {"", `{"error":{"a":1},"x":1}`},
		`taken`:                   {"", "taken"},
		``:                        {"", ""},
		`["taken"]`:               {"", `["taken"]`},
		`{"detail":`:              {"", `{"detail":`},
		`<html>taken</html>`:      {"", "<html>taken</html>"},
	} {
		s := serve(t, always(409, body))
		_, err := s.client(t, nil).Create(t.Context(), Users, Resource{"userName": "jane"})
		var f *Fault
		if answer(err) != "failed ALREADY_EXISTS" || !errors.As(err, &f) || f.ScimType != want[0] || f.Detail != want[1] {
			t.Errorf("%s: got %v, %+v", body, err, f)
		}
	}
	s := serve(t, always(500, strings.Repeat("x", 10_000)))
	_, err := s.client(t, nil).Get(t.Context(), Users, "7", Selection{})
	if n := len(connector.AsError(err).Detail); n != maxDetail {
		t.Errorf("%d bytes are kept", n)
	}
}

// QUIRKS SCIM-2: a page for people is no word of the target about an account.
func TestAnHTMLErrorIsNoAnswerAboutAnAccount(t *testing.T) {
	page := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			_, _ = w.Write([]byte("<!DOCTYPE html><title>404</title>"))
		}
	}
	for _, tt := range []struct {
		status   int
		tolerate bool
		want     [4]string
	}{
		{404, true, [4]string{"failed CONFIGURATION", "failed CONFIGURATION", "failed CONFIGURATION", "failed CONFIGURATION"}},
		{503, true, [4]string{"failed UNAVAILABLE", "failed UNAVAILABLE", "failed UNAVAILABLE", "failed UNAVAILABLE"}},
		{502, true, [4]string{"unknown UNAVAILABLE", "unknown UNAVAILABLE", "unknown UNAVAILABLE", "failed UNAVAILABLE"}},
		{409, false, [4]string{"failed CONFIGURATION", "failed CONFIGURATION", "failed CONFIGURATION", "failed CONFIGURATION"}},
	} {
		s := serve(t, page(tt.status))
		for i, call := range calls {
			if err := call.run(t, s.client(t, map[string]any{"tolerate_html_error": tt.tolerate})); answer(err) != tt.want[i] {
				t.Errorf("%d on %s: got %v; want %s", tt.status, call.op, err, tt.want[i])
			}
		}
	}
}

// QUIRKS §7.3: HTML or wrong content on 2xx is the config's fault, never an empty list.
func TestASuccessThatIsNoSCIMIsNoSuccess(t *testing.T) {
	for _, body := range []string{"<html>Please sign in</html>", `"ok"`, `null`, `[]`, `{"id":`, "ok"} {
		s := serve(t, always(200, body))
		c := s.client(t, nil)
		for i, want := range []string{"unknown CONFIGURATION", "unknown CONFIGURATION", "unknown CONFIGURATION", "failed CONFIGURATION"} {
			if err := calls[i].run(t, c); answer(err) != want {
				t.Errorf("%s on %s: got %v; want %s", body, calls[i].op, err, want)
			}
		}
		end, err := c.List(t.Context(), Query{Type: Users}, func(Resource) error { return nil })
		if answer(err) != "failed CONFIGURATION" || end.Complete || end.Reason == "" {
			t.Errorf("%s on a listing: got %+v, %v", body, end, err)
		}
	}
	for _, body := range []string{"", "{}", `{"message":"hello"}`, `{"totalResults":5}`} {
		s := serve(t, always(200, body))
		end, err := s.client(t, nil).List(t.Context(), Query{Type: Users}, func(Resource) error { return nil })
		if answer(err) != "failed CONFIGURATION" || end.Complete {
			t.Errorf("%q on a listing: got %+v, %v", body, end, err)
		}
	}
	s := serve(t, always(200, `{"id":"8"}`))
	if _, err := s.client(t, nil).Get(t.Context(), Users, "7", Selection{}); answer(err) != "failed CONFIGURATION" {
		t.Errorf("another resource: %v", err)
	}
}

func TestAnErrorInsideASuccessIsAnError(t *testing.T) {
	s := serve(t, always(200, refusal(409, "uniqueness", "taken")))
	if _, err := s.client(t, nil).Create(t.Context(), Users, Resource{"userName": "jane"}); answer(err) != "failed ALREADY_EXISTS" {
		t.Errorf("got %v", err)
	}
}

func TestAStrictProfileWantsAJSONType(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write([]byte(`{"id":"7"}`))
	})
	for lenient, want := range map[bool]string{true: "applied", false: "failed CONFIGURATION"} {
		if _, err := s.client(t, map[string]any{"lenient_response_ct": lenient}).Get(t.Context(), Users, "7", Selection{}); answer(err) != want {
			t.Errorf("lenient %t: got %v", lenient, err)
		}
	}
}

// QUIRKS SCIM-23: seconds or a date, capped, believed only where the profile does.
func TestRetryAfterReachesTheHub(t *testing.T) {
	for _, tt := range []struct {
		status   int
		header   string
		believe  bool
		min, max time.Duration
		want     string
	}{
		{429, "30", true, 30 * time.Second, 34 * time.Second, "failed RATE_LIMITED"},
		{503, "30", true, 30 * time.Second, 34 * time.Second, "failed UNAVAILABLE"},
		{429, time.Now().Add(40 * time.Second).UTC().Format(http.TimeFormat), true, 30 * time.Second, 45 * time.Second, "failed RATE_LIMITED"},
		{429, "999999", true, time.Hour, time.Hour + 7*time.Minute, "failed RATE_LIMITED"},
		{429, "", true, time.Second, 2 * time.Second, "failed RATE_LIMITED"},
		{429, "30", false, time.Second, 2 * time.Second, "failed RATE_LIMITED"},
		{503, "", true, 0, 0, "failed UNAVAILABLE"},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", tt.header)
			reply(w, tt.status, refusal(tt.status, "", ""))
		})
		err := calls[0].run(t, s.client(t, map[string]any{"retry_after": tt.believe}))
		if wait := connector.AsError(err).RetryAfter; answer(err) != tt.want || wait < tt.min || wait > tt.max {
			t.Errorf("%d %q: got %v after %s", tt.status, tt.header, err, wait)
		}
	}
}

// QUIRKS SCIM-9: names of people, tokens and values are in no message.
func TestMessagesHoldNoData(t *testing.T) {
	s := serve(t, always(400, refusal(400, "invalidValue", "jane@example.org is no good")))
	c := s.client(t, nil)
	_, found := c.Find(t.Context(), Users, "userName", "jane@example.org", Selection{})
	_, made := c.Create(t.Context(), Users, Resource{"userName": "jane@example.org"})
	for _, err := range []error{found, made, c.Delete(t.Context(), Users, "jane@example.org", "")} {
		if err == nil || strings.Contains(err.Error(), "jane") || strings.Contains(err.Error(), "t0ken") {
			t.Errorf("got %v", err)
		}
	}
}
