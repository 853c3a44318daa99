package fakescim

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func newUser(name string) string {
	return `{` + userSchema + `,"userName":"` + name + `","externalId":"E-` + name + `"}`
}

// QUIRKS §8, Q-16
func TestACreateWhoseAnswerIsLostTookEffectOnce(t *testing.T) {
	for name, lost := range map[FaultName]func(c *client){
		LostReply: func(c *client) {
			_, err := c.try("POST", "/Users", newUser("ann"))
			require.Error(c.t, err)
			_, err = c.try("POST", "/Users", newUser("bob"))
			require.Error(c.t, err, "once for each key")
		},
		CreateThen504: func(c *client) {
			for _, u := range []string{"ann", "bob"} {
				r := c.want(504, "", "POST", "/Users", newUser(u))
				require.Contains(c.t, r.header.Get("Content-Type"), "text/html")
			}
		},
	} {
		s, c := serve(t, Options{})
		s.Arm(Fault{Name: name})
		lost(c)
		users, _ := s.Len()
		require.Equal(t, 2, users, name)
		c.want(409, "uniqueness", "POST", "/Users", newUser("ann"))
	}
}

func TestAFaultHappensToTheRequestsThatItIsFor(t *testing.T) {
	s, c := serve(t, Options{})
	id := c.user("ann")
	s.Arm(Fault{Name: Refused, Status: 500, Method: "GET", Path: "/Users/", Skip: 1, Times: 2})
	for i, want := range []int{200, 500, 500, 200} {
		require.Equal(t, want, c.do("GET", "/Users/"+id, "").status, i)
		c.want(200, "", "GET", "/Users", "")
		c.patch(200, "", "/Users/"+id, `{"op":"replace","path":"title","value":"x"}`)
	}
	disarm := s.Arm(Fault{Name: Busy})
	c.want(200, "", "GET", "/Users", "")
	c.want(200, "", "POST", "/Users/.search", `{"schemas":["`+urnSearch+`"]}`)
	c.want(503, "", "DELETE", "/Users/"+id, "")
	disarm()
	disarm()
	c.want(204, "", "DELETE", "/Users/"+id, "")
	s.Arm(Fault{Name: Busy, Method: "any"})
	c.want(503, "", "GET", "/Users", "")
	s.Disarm()
	c.want(200, "", "GET", "/Users", "")
}

// QUIRKS SCIM-2, SCIM-15, SCIM-23
func TestRefusals(t *testing.T) {
	s, c := serve(t, Options{})
	for _, after := range []string{"7", "Tue, 31 Mar 2026 12:01:00 GMT", "3600", ""} {
		end := s.Arm(Fault{Name: RateLimited, RetryAfter: after})
		r := c.want(429, "", "POST", "/Users", newUser("ann"))
		require.Equal(t, after, r.header.Get("Retry-After"))
		end()
	}
	s.Arm(Fault{Name: Business412, Text: "email not allowed", Times: 1})
	r := c.want(412, "", "POST", "/Users", newUser("ann"))
	require.Equal(t, "email not allowed", r.body["detail"])
	require.Equal(t, "412", r.body["status"])
	s.Arm(Fault{Name: HTML, Times: 1})
	r = c.want(200, "", "POST", "/Users", newUser("ann"))
	require.Contains(t, r.raw, "Sign in")
	users, _ := s.Len()
	require.Zero(t, users, "what is refused has no effect")
}

func TestConnectionsThatBreak(t *testing.T) {
	s, c := serve(t, Options{})
	c.want(200, "", "GET", "/Users", "")
	for _, name := range []FaultName{Dropped, Reset} {
		s.Arm(Fault{Name: name, Times: 1})
		c.http.CloseIdleConnections()
		_, err := c.try("POST", "/Users", newUser("ann"))
		require.Error(t, err, name)
		users, _ := s.Len()
		require.Zero(t, users, name)
		c.want(200, "", "GET", "/Users", "")
	}
	s.Arm(Fault{Name: DropMidBody, Times: 1})
	r, err := c.try("POST", "/Users", newUser("ann"))
	require.Error(t, err)
	require.Equal(t, 201, r.status)
	require.NotEmpty(t, r.raw)
	s.Arm(Fault{Name: TruncatedJSON, Times: 1})
	r, err = c.try("GET", "/Users", "")
	require.ErrorContains(t, err, "unexpected EOF", "the JSON, not the connection")
	require.Equal(t, r.header.Get("Content-Length"), itoa(len(r.raw)))

	end := s.Arm(Fault{Name: Down})
	_, err = c.try("GET", "/Users", "")
	require.ErrorContains(t, err, "refused")
	end()
	require.Equal(t, "ann", c.want(200, "", "GET", "/Users", "").names())
}

func TestRequestsThatTakeTheirTime(t *testing.T) {
	s, c := serve(t, Options{})
	s.Arm(Fault{Name: Slow, Wait: 50 * time.Millisecond, Times: 1})
	began := time.Now()
	c.want(200, "", "GET", "/Users", "")
	require.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)

	s.Arm(Fault{Name: Hang})
	c.http.Timeout = 100 * time.Millisecond
	_, err := c.try("POST", "/Users", newUser("ann"))
	require.ErrorContains(t, err, "Client.Timeout")
	c.want(200, "", "GET", "/Users", "")
	users, _ := s.Len()
	require.Zero(t, users)
}

func TestClosingEndsWhatHangs(t *testing.T) {
	s, err := New(Options{PlainHTTP: true})
	require.NoError(t, err)
	s.Arm(Fault{Name: Hang, Method: "any"})
	c := &client{t: t, http: &http.Client{Transport: &http.Transport{}}, base: s.URL(), token: s.Token()}
	ended := make(chan error)
	go func() {
		_, err := c.try("GET", "/Users", "")
		ended <- err
	}()
	require.Eventually(t, func() bool { return s.front.Connections() == 1 }, 30*time.Second, time.Millisecond)
	require.NoError(t, s.Close())
	require.Error(t, <-ended)
}

// QUIRKS SCIM-16, SCIM-17, SCIM-18, SCIM-19, SCIM-4
func TestListingsThatLie(t *testing.T) {
	s, c := serve(t, Options{})
	for i := range 6 {
		seed(t, s, "User", `{"userName":"u`+itoa(i)+`"}`)
	}
	page := func(query string) response { return c.want(200, "", "GET", "/Users?"+query, "") }
	under := func(f Fault, test func()) { end := s.Arm(f); test(); end() }

	under(Fault{Name: RepeatIDs, N: 2}, func() {
		require.Equal(t, "u0 u1 u2", page("count=3").names())
		require.Equal(t, "u1 u2 u3", page("startIndex=4&count=3").names())
	})
	under(Fault{Name: TotalTooBig, N: 3}, func() { require.EqualValues(t, 9, page("").body["totalResults"]) })
	under(Fault{Name: TotalTooSmall}, func() { require.EqualValues(t, 5, page("").body["totalResults"]) })
	under(Fault{Name: Truncated, N: 4}, func() {
		require.EqualValues(t, 6, page("").body["totalResults"])
		require.Equal(t, "u3", page("startIndex=4").names())
		require.Equal(t, "", page("startIndex=5").names())
	})
	under(Fault{Name: LowerCaseResources}, func() {
		require.NotContains(t, page("").body, "Resources")
		require.Len(t, page("").body["resources"], 6)
	})
	next := func(r response) string { return "&cursor=" + url.QueryEscape(r.body["nextCursor"].(string)) }
	under(Fault{Name: ForcedCursor}, func() {
		r := page("count=4")
		require.Equal(t, "u4 u5", page("count=4"+next(r)).names())
	})
	under(Fault{Name: EmptyPages}, func() {
		one := page("count=4&cursor=")
		two := page("count=4" + next(one))
		require.Equal(t, "", two.names())
		require.Equal(t, "u4 u5", page("count=4"+next(two)).names())
	})
	one := page("count=4&cursor=")
	under(Fault{Name: ExpiredCursor, Times: 1}, func() {
		c.want(400, "expiredCursor", "GET", "/Users?count=4"+next(one), "")
		c.want(400, "invalidCursor", "GET", "/Users?count=4"+next(one), "")
	})
}

// QUIRKS SCIM-34, Q-3
func TestWhatWasMadeIsNotFoundForAWhile(t *testing.T) {
	now := time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC)
	s, c := serve(t, Options{Now: func() time.Time { return now }})
	seed(t, s, "User", `{"userName":"old"}`)
	s.Arm(Fault{Name: BlindLookup, Wait: time.Minute})
	id := c.user("ann")
	find := func() string {
		return c.want(200, "", "GET", "/Users?filter="+url.QueryEscape(`userName eq "ann" or userName eq "old"`), "").names()
	}
	require.Equal(t, "old", find())
	c.want(200, "", "GET", "/Users/"+id, "")
	now = now.Add(time.Minute)
	require.Equal(t, "old ann", find())
}

func TestServicesThatDoThingsTheirOwnWay(t *testing.T) {
	s, c := serve(t, Options{})
	under := func(f Fault, test func()) { t.Helper(); end := s.Arm(f); test(); end() }
	ann := c.want(201, "", "POST", "/Users", `{`+userSchema+`,"userName":"ann","title":"Dr","active":true,"password":"pw","emails":[{"value":"a@x.org","primary":true},{"value":"b@x.org"}]}`).body["id"].(string)
	g := c.want(201, "", "POST", "/Groups", `{`+groupSchema+`,"displayName":"G","members":[{"value":"`+ann+`"}]}`).body["id"].(string)

	under(Fault{Name: CreateWithoutID}, func() {
		r := c.want(201, "", "POST", "/Users", newUser("bob"))
		require.NotContains(t, r.body, "id")
	})
	under(Fault{Name: EmptyMembers}, func() {
		require.Empty(t, c.want(200, "", "GET", "/Groups/"+g, "").body["members"])
	})
	under(Fault{Name: MemberLimit, N: 1}, func() {
		c.patch(400, "tooMany", "/Groups/"+g, `{"op":"add","path":"members","value":[{"value":"`+ann+`"},{"value":"x"}]}`)
	})
	under(Fault{Name: BadMember, Status: 500}, func() {
		c.patch(500, "", "/Groups/"+g, `{"op":"add","path":"members","value":[{"value":"nobody"}]}`)
	})
	under(Fault{Name: ActiveAsText}, func() {
		require.Equal(t, "True", c.want(200, "", "GET", "/Users/"+ann, "").body["active"])
		c.patch(400, "invalidValue", "/Users/"+ann, `{"op":"replace","path":"active","value":false}`)
		c.patch(200, "", "/Users/"+ann, `{"op":"replace","path":"active","value":"False"}`)
		require.Equal(t, "False", c.patch(200, "", "/Users/"+ann, `{"op":"replace","value":{"active":"False"}}`).body["active"])
	})
	under(Fault{Name: HideDisabled}, func() {
		c.want(404, "", "GET", "/Users/"+ann, "")
		c.want(404, "", "DELETE", "/Users/"+ann, "")
		require.Equal(t, "bob", c.want(200, "", "GET", "/Users", "").names())
	})
	c.patch(200, "", "/Users/"+ann, `{"op":"replace","path":"active","value":true}`)
	under(Fault{Name: ObfuscateDisabled}, func() {
		r := c.patch(200, "", "/Users/"+ann, `{"op":"replace","path":"active","value":false}`)
		require.NotContains(t, r.raw, "ann")
		require.NotContains(t, r.raw, "a@x.org")
		r = c.patch(200, "", "/Users/"+ann, `{"op":"replace","path":"active","value":true}`)
		require.Equal(t, "ann", r.body["userName"])
		require.Contains(t, r.raw, "a@x.org")
	})
	under(Fault{Name: PathlessSingle}, func() {
		c.patch(400, "invalidSyntax", "/Users/"+ann, `{"op":"replace","path":"title","value":"x"}`)
		c.patch(400, "invalidSyntax", "/Users/"+ann, `{"op":"replace","value":{"title":"x","active":true}}`)
		c.patch(200, "", "/Users/"+ann, `{"op":"replace","value":{"title":"x"}}`)
	})
	under(Fault{Name: PrimaryFlips}, func() {
		emails := c.patch(200, "", "/Users/"+ann, `{"op":"replace","path":"title","value":"y"}`).body["emails"].([]any)
		require.Equal(t, false, emails[0].(map[string]any)["primary"])
		require.Equal(t, true, emails[1].(map[string]any)["primary"])
	})
	under(Fault{Name: PutWipes}, func() {
		require.NotContains(t, c.want(200, "", "PUT", "/Users/"+ann, newUser("ann")).body, "active")
		require.False(t, s.CheckPassword("ann", "pw"))
	})
	under(Fault{Name: ConfigMissing}, func() { c.want(404, "", "GET", "/ServiceProviderConfig", "") })
	honest := c.want(200, "", "GET", "/ServiceProviderConfig", "").body
	under(Fault{Name: ConfigLies}, func() {
		lie := c.want(200, "", "GET", "/ServiceProviderConfig", "").body
		require.Equal(t, map[string]any{"supported": true}, honest["patch"])
		require.Equal(t, map[string]any{"supported": false}, lie["patch"])
	})
}

// QUIRKS SCIM-23, SCIM-31
func TestQuotaAndTokensThatEnd(t *testing.T) {
	now := time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC)
	s, c := serve(t, Options{Now: func() time.Time { return now }, Client: Login{"app", "s3cret"}})
	end := s.Arm(Fault{Name: Quota, N: 2})
	c.want(200, "", "GET", "/Users", "")
	now = now.Add(10 * time.Minute)
	c.want(200, "", "GET", "/Users", "")
	require.Equal(t, "3000", c.want(429, "", "GET", "/Users", "").header.Get("Retry-After"))
	now = now.Add(50 * time.Minute)
	c.want(200, "", "GET", "/Users", "")
	end()

	s.Arm(Fault{Name: TokenExpired, Times: 1})
	r := c.want(401, "", "GET", "/Users", "")
	require.Contains(t, r.header.Get("WWW-Authenticate"), "invalid_token")
	c.want(200, "", "GET", "/Users", "")
	c.token = c.fetch(s, "app", "s3cret").body["access_token"].(string)
	c.want(200, "", "GET", "/Users", "")
	s.Arm(Fault{Name: TokenExpired, Times: 1})
	c.want(401, "", "GET", "/Users", "")
	c.want(401, "", "GET", "/Users", "")
}

func TestEachDoorHasItsOwnFaults(t *testing.T) {
	s, c := serve(t, Options{})
	configs, err := s.FaultConfigs(t.TempDir(), time.Millisecond)
	require.NoError(t, err)
	require.Len(t, configs, 8)
	for _, name := range []FaultName{LostReply, Hang, Slow, Reset, RateLimited, Busy, Down, Truncated} {
		require.Contains(t, string(configs[name]), "https://127.0.0.1:", name)
	}
	d, err := s.Open(Fault{Name: Busy})
	require.NoError(t, err)
	other := *c
	other.base = d.URL()
	other.want(503, "", "POST", "/Users", newUser("ann"))
	c.want(201, "", "POST", "/Users", newUser("ann"))
	require.Equal(t, "ann", other.want(200, "", "GET", "/Users", "").names(), "all doors lead to the same resources")
	require.True(t, strings.HasPrefix(other.want(200, "", "GET", "/Users", "").body["Resources"].([]any)[0].(map[string]any)["meta"].(map[string]any)["location"].(string), d.URL()))
	require.Equal(t, 1, d.Connections())
}

func TestEveryFaultCanBeArmedByName(t *testing.T) {
	s, _ := serve(t, Options{})
	for _, name := range FaultNames() {
		s.Arm(Fault{Name: name})()
	}
	require.PanicsWithValue(t, `fakescim: there is no fault "lost_repply"`, func() {
		defer func() {
			if v, ok := recover().(string); ok {
				panic(v[:strings.Index(v, ";")])
			}
		}()
		s.Arm(Fault{Name: "lost_repply"})
	})
}
