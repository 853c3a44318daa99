package scim

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

// bulkUser is the nth create of a load, found by what the product keeps unique.
func bulkUser(n int) connector.Create {
	name := fmt.Sprintf("u%03d", n)
	c := newUser(name)
	c.Correlate = connector.Correlation{Attribute: "userName", Value: name}
	return c
}

// load makes n accounts at once by target and returns what each was answered with.
func (f *fake) load(target *Target, n int, more func(*connector.Create)) ([]connector.Ref, []error) {
	refs := make([]connector.Ref, n)
	errs := together(n, func(i int) (err error) {
		c := bulkUser(i)
		if more != nil {
			more(&c)
		}
		refs[i], err = target.Create(context.Background(), c)
		return err
	})
	return refs, errs
}

// slowFake is a service whose requests take long enough for others to gather.
func slowFake(t *testing.T, overrides map[string]any) *fake {
	f := newFake(t, "rfc7644", overrides, nil)
	f.Arm(fakescim.Fault{Name: fakescim.Slow, Wait: 30 * time.Millisecond})
	_, err := f.target.Schema(t.Context())
	require.NoError(t, err)
	f.ResetLog()
	return f
}

// QUIRKS SCIM-22, Q-14.
func TestCreatesGoOutTogether(t *testing.T) {
	f := slowFake(t, nil)
	refs, errs := f.load(f.target, 200, nil)
	for i, err := range errs {
		require.NoError(t, err)
		u := f.user(fmt.Sprintf("u%03d", i))
		require.Equal(t, u.ID, refs[i].ID, "each is told its own id")
		require.Equal(t, fmt.Sprintf("u%03d", i), refs[i].Name)
	}
	require.Len(t, f.Users(), 200)
	require.LessOrEqual(t, f.Count(http.MethodPost, ""), 12, "%v", f.Log())
}

func TestCreatesGoSinglyWhereTheyMust(t *testing.T) {
	for name, c := range map[string]struct {
		overrides map[string]any
		config    config
		more      func(*connector.Create)
	}{
		"the config says never":     {config: config{"bulk": "never"}},
		"the profile has none":      {overrides: map[string]any{"bulk": "none"}},
		"they are made as disabled": {more: func(c *connector.Create) { c.Enabled = connector.IsDisabled }},
	} {
		t.Run(name, func(t *testing.T) {
			f := slowFake(t, c.overrides)
			if c.config != nil {
				f.target = f.open(c.config)
			}
			_, errs := f.load(f.target, 20, c.more)
			for _, err := range errs {
				require.NoError(t, err)
			}
			require.Zero(t, f.Count(http.MethodPost, "/Bulk"))
			require.Equal(t, 20, f.Count(http.MethodPost, "/Users"))
		})
	}
	f := slowFake(t, nil)
	for i := range 3 {
		f.create(bulkUser(i))
	}
	require.Zero(t, f.Count(http.MethodPost, "/Bulk"), "nothing waits that could go along")
}

// One that is refused harms no other, and is told as if it had gone alone.
func TestBulkOneBadInTheMiddle(t *testing.T) {
	f := slowFake(t, map[string]any{"required_on_create": []string{"userName", "externalId"}})
	target := f.open(nil) // which does not know that externalId is required
	_, err := f.Seed("User", `{"userName": "u011", "externalId": "somebody"}`)
	require.NoError(t, err)
	_, errs := f.load(target, 20, func(c *connector.Create) {
		if c.Correlate.Value == "u010" {
			c.Attributes = attrs("userName", "u010")
		}
	})
	for i, err := range errs {
		switch i {
		case 10:
			require.Equal(t, connector.CodeInvalidValue, code(err), "%v", err)
		case 11:
			require.Equal(t, connector.CodeAlreadyExists, code(err))
			require.Equal(t, "u011", connector.AsError(err).Conflicting.Name, "whose it is was looked up")
		default:
			require.NoError(t, err)
		}
	}
	require.NotZero(t, f.Count(http.MethodPost, "/Bulk"))
	require.Len(t, f.Users(), 19)
}

// SCIM-36: the connection breaks when all is done. What was in that request is in
// doubt, and repeating it makes nothing twice.
func TestBulkLostAnswer(t *testing.T) {
	f := slowFake(t, nil)
	f.Arm(fakescim.Fault{Name: fakescim.DropMidBody, Path: "/Bulk"})
	_, errs := f.load(f.target, 60, nil)
	require.Len(t, f.Users(), 60)
	lost := 0
	for _, err := range errs {
		if err != nil {
			require.Equal(t, connector.OutcomeUnknown, outcome(err), "%v", err)
			lost++
		}
	}
	require.Greater(t, lost, 40, "all but those that went alone")
	f.Disarm()
	refs := make([]connector.Ref, 60)
	for _, err := range together(60, func(i int) (err error) {
		if errs[i] == nil {
			return nil
		}
		refs[i], err = f.target.Create(context.Background(), again(bulkUser(i)))
		return err
	}) {
		require.Contains(t, []connector.Outcome{connector.OutcomeApplied, connector.OutcomeUnchanged}, outcome(err), "%v", err)
	}
	require.Len(t, f.Users(), 60, "exactly one each")
}

func TestBulkTooLargeIsHalved(t *testing.T) {
	f := slowFake(t, map[string]any{"bulk_max_ops": 7})
	target := f.open(config{"overrides": config{"bulk_max_ops": 0}}) // which does not know
	_, errs := f.load(target, 60, nil)
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Len(t, f.Users(), 60)
	refused := 0
	for _, r := range f.Log() {
		if r.Status == http.StatusRequestEntityTooLarge {
			refused++
		}
	}
	require.NotZero(t, refused)
}

// A limit on bulk requests is none on creates: what does not fit goes alone.
func TestBulkWhatDoesNotFitGoesAlone(t *testing.T) {
	f := slowFake(t, map[string]any{"bulk_max_bytes": 200})
	_, errs := f.load(f.target, 20, nil)
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, 20, f.Count(http.MethodPost, "/Users"))
}

func TestBulkRefusedAsAWhole(t *testing.T) {
	for _, c := range []struct {
		status int
		after  string
		want   connector.Code // of what was in a bulk request; 0: it went alone then
	}{
		{501, "", 0}, {404, "", 0}, {403, "", 0}, {400, "", 0}, // SCIM-21: announced, and not there
		{429, "7", connector.CodeRateLimited}, {503, "7", connector.CodeUnavailable},
	} {
		t.Run(fmt.Sprint(c.status), func(t *testing.T) {
			f := slowFake(t, nil)
			f.Arm(fakescim.Fault{Name: fakescim.Refused, Path: "/Bulk", Status: c.status, RetryAfter: c.after})
			_, errs := f.load(f.target, 20, nil)
			if c.want == 0 {
				for _, err := range errs {
					require.NoError(t, err)
				}
				require.Len(t, f.Users(), 20)
				return
			}
			held := 0
			for _, err := range errs {
				if err != nil {
					require.Equal(t, connector.OutcomeFailed, outcome(err), "nothing was done: %v", err)
					require.Equal(t, c.want, code(err), "%v", err)
					require.GreaterOrEqual(t, connector.AsError(err).RetryAfter, 6*time.Second)
					held++
				}
			}
			require.Equal(t, 20-len(f.Users()), held)
			require.NotZero(t, held)
		})
	}
	f := slowFake(t, nil)
	f.Arm(fakescim.Fault{Name: fakescim.Refused, Path: "/Bulk", Status: 501})
	for range 2 {
		f.load(f.target, 20, nil)
	}
	asked := f.Count(http.MethodPost, "/Bulk")
	require.NotZero(t, asked)
	f.load(f.target, 20, nil)
	require.Equal(t, asked, f.Count(http.MethodPost, "/Bulk"), "it is not asked again")
}

// SCIMMY announces bulk requests; a name that is taken, in the middle of one,
// spoils no other.
func TestBulkOnARealService(t *testing.T) {
	s := newReal(t)
	target := s.target("")
	ctx := t.Context()
	_, err := target.Schema(ctx)
	require.NoError(t, err)
	require.True(t, target.current().bulks())
	_, err = target.Create(ctx, newUser(s.prefix+"7"))
	require.NoError(t, err)
	var ps []*posting
	for i := range 15 {
		c := newUser(s.prefix + fmt.Sprint(i))
		_, m, err := target.use(ctx)
		require.NoError(t, err)
		typ, err := m.typeOf("user")
		require.NoError(t, err)
		r, err := target.resource(typ, c)
		require.NoError(t, err)
		req, err := target.current().CreateRequest(typ.resource, r)
		require.NoError(t, err)
		ps = append(ps, &posting{resource: r, request: req})
	}
	for i, err := range postAll(ctx, kindOf{target.current(), client.Users}, ps) {
		if i == 7 {
			require.Equal(t, connector.CodeAlreadyExists, code(err), "%v", err)
			continue
		}
		require.NoError(t, err)
		made, err := target.Get(ctx, by("externalId", "x-"+s.prefix+fmt.Sprint(i)), nil)
		require.NoError(t, err)
		require.Equal(t, made.Ref.ID, ps[i].made.ID())
	}
	require.False(t, target.current().noBulk.Load())
}

// BenchmarkCreatesOnARealService makes five hundred accounts on SCIMMY, singly and
// in bulk requests.
//
//	go test ./connectors/scim -run '^$' -bench CreatesOnARealService -benchtime 1x
func BenchmarkCreatesOnARealService(b *testing.B) {
	const n = 500
	for _, bulk := range []string{"never", "auto"} {
		b.Run("bulk "+bulk, func(b *testing.B) {
			for range b.N {
				s := newKit(b)
				target := s.target(`, "bulk": "` + bulk + `", "lookup": "never"`)
				_, err := target.Schema(context.Background())
				require.NoError(b, err)
				b.ResetTimer()
				spread(n, Definition.MaxInFlight, func(i int) {
					if _, err := target.Create(context.Background(), newUser(fmt.Sprint(s.prefix, i), "givenName", "Jane", "email", fmt.Sprint(s.prefix, i, "@example.org"))); err != nil {
						b.Error(err)
					}
				})
				b.ReportMetric(n/b.Elapsed().Seconds(), "accounts/s")
				b.StopTimer()
				newKit(b)
			}
		})
	}
}
