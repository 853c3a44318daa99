package fakescim

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// plain is a service without a dialect and the client for it.
func plain(t *testing.T, keys map[string]any) *contract {
	p, err := scim.LoadProfile("")
	require.NoError(t, err)
	p, err = p.With(keys)
	require.NoError(t, err)
	return speaking(t, p)
}

// outcome names what an error says to the hub: the outcome and the code.
func outcome(err error) string {
	r := connector.ResultOf("", connector.Ref{}, err)
	if r.Err == nil {
		return string(r.Outcome)
	}
	return fmt.Sprintf("%s %s", r.Outcome, r.Err.Code)
}

// A service that lets its client down: what the client makes of each fault, on a
// write and on a read, and whether the write took effect. QUIRKS §7.3, §8
func TestWhatTheClientMakesOfAFault(t *testing.T) {
	for _, tc := range []struct {
		fault       Fault
		write, read string
		took        bool // the write took effect
	}{
		{Fault{Name: LostReply}, "unknown UNAVAILABLE", "applied", true},
		{Fault{Name: CreateThen504}, "unknown TIMEOUT", "applied", true},
		{Fault{Name: DropMidBody, Method: "any"}, "unknown UNAVAILABLE", "failed UNAVAILABLE", true},
		{Fault{Name: TruncatedJSON}, "unknown CONFIGURATION", "failed CONFIGURATION", true},
		{Fault{Name: Dropped}, "unknown UNAVAILABLE", "failed UNAVAILABLE", false},
		{Fault{Name: HTML}, "unknown CONFIGURATION", "failed CONFIGURATION", false},
		{Fault{Name: Hang, Method: "any"}, "unknown TIMEOUT", "failed TIMEOUT", false},
		{Fault{Name: Reset, Times: 9}, "failed UNAVAILABLE", "failed UNAVAILABLE", false},
		{Fault{Name: Down}, "failed UNAVAILABLE", "failed UNAVAILABLE", false},
		{Fault{Name: RateLimited, Method: "any", RetryAfter: "7"}, "failed RATE_LIMITED", "failed RATE_LIMITED", false},
		{Fault{Name: Refused, Status: 401}, "failed AUTHENTICATION", "failed AUTHENTICATION", false},
		{Fault{Name: Refused, Status: 502}, "unknown UNAVAILABLE", "failed UNAVAILABLE", false},
		{Fault{Name: CreateWithoutID}, "applied", "applied", true},
		{Fault{Name: Slow, Wait: time.Millisecond}, "applied", "applied", true},
	} {
		t.Run(string(tc.fault.Name), func(t *testing.T) {
			c := plain(t, nil)
			seeded := seed(t, c.s, "User", `{"userName":"old"}`)[0]
			c.s.Arm(tc.fault)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			if tc.fault.Name == Hang {
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), 150*time.Millisecond)
			}
			defer cancel()
			_, err := c.c.Create(ctx, scim.Users, person("jane"))
			require.Equal(t, tc.write, outcome(err), "write: %v", err)
			_, took := c.s.User("jane")
			require.Equal(t, tc.took, took)
			if tc.fault.Name == Hang {
				ctx, cancel = context.WithTimeout(t.Context(), 150*time.Millisecond)
				defer cancel()
			}
			_, err = c.c.Get(ctx, scim.Users, seeded, scim.Selection{})
			require.Equal(t, tc.read, outcome(err), "read: %v", err)
		})
	}
}

// A listing that does not add up is never complete: absence then proves nothing.
// QUIRKS SCIM-16 to SCIM-20
func TestWhatTheClientMakesOfAListing(t *testing.T) {
	for _, tc := range []struct {
		name     string
		faults   []Fault
		keys     map[string]any
		distinct int
		complete bool
		failed   bool
	}{
		{"an honest one", nil, nil, 25, true, false},
		{"by cursor", nil, map[string]any{"paging": "cursor"}, 25, true, false},
		{"ids come again", []Fault{{Name: RepeatIDs, N: 3}}, nil, 25, true, false},
		{"ids come again, by cursor", []Fault{{Name: RepeatIDs, N: 3}}, map[string]any{"paging": "cursor"}, 25, true, false},
		{"more is counted than comes", []Fault{{Name: TotalTooBig}}, nil, 25, false, false},
		{"less is counted than comes", []Fault{{Name: TotalTooSmall, N: 10}}, nil, 25, false, false},
		{"it ends early", []Fault{{Name: Truncated, N: 12}}, nil, 12, false, false},
		{"it ends early, by cursor", []Fault{{Name: Truncated, N: 12}}, map[string]any{"paging": "cursor"}, 12, false, false},
		{"a cursor unasked", []Fault{{Name: ForcedCursor}}, nil, 25, true, false},
		{"empty pages with a cursor", []Fault{{Name: ForcedCursor}, {Name: EmptyPages}}, nil, 25, true, false},
		{"a cursor that expires once", []Fault{{Name: ForcedCursor}, {Name: ExpiredCursor, Skip: 1, Times: 1}}, nil, 25, true, false},
		{"cursors that always expire", []Fault{{Name: ForcedCursor}, {Name: ExpiredCursor}}, nil, 10, false, true},
		{"resources in lower case", []Fault{{Name: LowerCaseResources}}, nil, 25, true, false},
		{"an error on the last page", []Fault{{Name: Refused, Status: 500, Skip: 2}}, nil, 19, false, true},
		{"a page to sign in", []Fault{{Name: HTML, Skip: 1}}, nil, 10, false, true},
		{"a page that is cut", []Fault{{Name: DropMidBody, Skip: 1}}, nil, 10, false, true},
		{"half a page", []Fault{{Name: TruncatedJSON, Skip: 1}}, nil, 10, false, true},
		{"a token that ends half-way", []Fault{{Name: TokenExpired, Skip: 1}}, nil, 10, false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			keys := map[string]any{"page_default": 10}
			for k, v := range tc.keys {
				keys[k] = v
			}
			c := plain(t, keys)
			for i := range 25 {
				seed(t, c.s, "User", fmt.Sprintf(`{"userName":"u%d"}`, i))
			}
			for _, f := range tc.faults {
				c.s.Arm(f)
			}
			seen := map[string]int{}
			end, err := c.c.List(t.Context(), scim.Query{Type: scim.Users}, func(r scim.Resource) error { seen[r.ID()]++; return nil })
			require.Equal(t, tc.failed, err != nil, "%v", err)
			require.Equal(t, tc.complete, end.Complete, end.Reason)
			if tc.distinct > 0 {
				require.Len(t, seen, tc.distinct)
			}
			for id, n := range seen {
				require.Equal(t, 1, n, "%s was yielded more than once", id)
			}
			if !end.Complete {
				require.NotEmpty(t, end.Reason)
			}
		})
	}
}

// QUIRKS SCIM-31
func TestTheClientRenewsATokenOnceAndNoMore(t *testing.T) {
	s, _ := serve(t, Options{Client: Login{"app", "s3cret"}})
	c, err := scim.New(scim.Options{BaseURL: s.URL(), CAs: s.CertPool(), Auth: scim.ClientCredentials(scim.Credentials{
		TokenURL: s.TokenURL(), ClientID: "app", ClientSecret: connector.NewSecret("s3cret")})})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	id := seed(t, s, "User", `{"userName":"jane"}`)[0]
	get := func() error { _, err := c.Get(t.Context(), scim.Users, id, scim.Selection{}); return err }
	require.NoError(t, get())
	require.Equal(t, 1, s.Counts().Logins)
	s.ExpireTokens()
	s.ResetLog()
	require.NoError(t, get())
	require.Equal(t, 2, s.Counts().Logins)
	require.Equal(t, []string{"GET /Users/" + id + " 401", "GET /Users/" + id + " 200"}, lines(s.Log()))
	s.ResetLog()
	s.Arm(Fault{Name: Refused, Status: 401})
	require.Equal(t, "failed AUTHENTICATION", outcome(get()))
	require.Len(t, s.Log(), 2, "one more attempt, and no more")
}

// QUIRKS SCIM-23
func TestTheClientSaysWhenToComeBack(t *testing.T) {
	for header, want := range map[string][2]time.Duration{
		"7":    {6 * time.Second, 8 * time.Second}, // with jitter
		"3600": {59 * time.Minute, 66 * time.Minute},
		time.Now().Add(time.Minute).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"): {55 * time.Second, 67 * time.Second},
		"": {time.Millisecond, time.Minute},
	} {
		c := plain(t, nil)
		c.s.Arm(Fault{Name: RateLimited, RetryAfter: header})
		_, err := c.c.Create(t.Context(), scim.Users, person("jane"))
		e := connector.AsError(err)
		require.Equal(t, connector.CodeRateLimited, e.Code, "%q: %v", header, err)
		require.GreaterOrEqual(t, e.RetryAfter, want[0], header)
		require.LessOrEqual(t, e.RetryAfter, want[1], header)
		c.s.ResetLog()
		_, err = c.c.Create(t.Context(), scim.Users, person("joe"))
		require.Equal(t, "failed RATE_LIMITED", outcome(err), "%q: the pause is shared", header)
		require.Empty(t, c.s.Log(), "nothing is sent while the service wants to be left alone")
	}
}

// QUIRKS SCIM-14, SCIM-15
func TestTheClientTellsA412FromAnother(t *testing.T) {
	c := plain(t, nil)
	made := c.made("jane")
	c.s.Arm(Fault{Name: Business412, Times: 1})
	title := scim.Update{Type: scim.Users, ID: made.ID(), Changes: []scim.Change{{Path: scim.MustPath("title"), Replace: []any{"x"}}}}
	_, err := c.c.Update(t.Context(), title)
	require.NotEqual(t, "failed VERSION_CONFLICT", outcome(err), "no version was sent")
	require.Contains(t, outcome(err), "failed ")
	title.IfMatch = made.Version()
	_, err = c.c.Update(t.Context(), title)
	require.NoError(t, err)
	_, err = c.c.Update(t.Context(), scim.Update{Type: scim.Users, ID: made.ID(), IfMatch: made.Version(), Changes: []scim.Change{{Path: scim.MustPath("title"), Replace: []any{"y"}}}})
	require.Equal(t, "failed VERSION_CONFLICT", outcome(err))
}

// QUIRKS SCIM-30: a bad member is found, and harms no other.
func TestTheClientFindsTheBadMember(t *testing.T) {
	for _, fault := range []Fault{{Name: BadMember}, {Name: BadMember, Status: 404}, {Name: BadMember, Status: 500}, {Name: MemberLimit, N: 16}} {
		c := plain(t, nil)
		g := seed(t, c.s, "Group", `{"displayName":"G"}`)[0]
		var changes []scim.MemberChange
		for i := range 100 {
			id := seed(t, c.s, "User", fmt.Sprintf(`{"userName":"u%d"}`, i))[0]
			if i == 37 {
				id = "nobody"
			}
			changes = append(changes, scim.MemberChange{ID: id})
		}
		c.s.Arm(fault)
		errs := c.c.ChangeMembers(t.Context(), g, changes)
		for i, err := range errs {
			require.Equal(t, i == 37, err != nil, "%s %d: member %d: %v", fault.Name, fault.Status, i, err)
		}
		require.Len(t, c.members("G"), 99)
		require.LessOrEqual(t, len(c.s.Log()), 40)
	}
}

// QUIRKS SCIM-25, SCIM-63
func TestTheClientReadsWhatOthersWrite(t *testing.T) {
	c := plain(t, nil)
	id := c.made("jane").ID()
	c.s.Arm(Fault{Name: ActiveAsText, Method: "GET"})
	got, err := c.c.Get(t.Context(), scim.Users, id, scim.Selection{})
	require.NoError(t, err)
	active, known := got.Active()
	require.True(t, active && known)
	c.s.Disarm()
	c.s.Arm(Fault{Name: PrimaryFlips})
	c.update(id, scim.Change{Path: scim.MustPath("emails"), Replace: []any{
		map[string]any{"value": "a@x.org", "type": "work", "primary": true}, map[string]any{"value": "b@x.org", "type": "home"}}})
	require.Equal(t, "a@x.org", c.text(id, `emails[type eq "work"].value`), "rows are told apart by type, not by which is primary")
	c.update(id, scim.Change{Path: scim.MustPath(`emails[type eq "home"].value`), Replace: []any{"c@x.org"}})
	require.Equal(t, "c@x.org", c.text(id, `emails[type eq "home"].value`))
	require.Equal(t, "a@x.org", c.text(id, `emails[type eq "work"].value`))
}

// QUIRKS SCIM-21
func TestTheClientDoesNotNeedDiscovery(t *testing.T) {
	for _, f := range []Fault{{Name: ConfigMissing}, {Name: ConfigLies}, {Name: HTML, Path: "/S"}, {Name: Refused, Status: 403, Path: "/S"}, {Name: TruncatedJSON, Path: "/S"}} {
		c := plain(t, nil)
		c.s.Arm(f)
		_, err := c.c.Discover(t.Context())
		require.NoError(t, err, f.Name)
		id := c.made("jane").ID()
		c.update(id, scim.Change{Path: scim.MustPath("title"), Replace: []any{"x"}})
		require.Equal(t, "x", c.text(id, "title"))
	}
}
