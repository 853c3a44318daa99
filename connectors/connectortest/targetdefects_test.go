package connectortest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
)

// recode gives errors with one code another one.
func recode(err error, from, to connector.Code) error {
	if !connector.IsCode(err, from) {
		return err
	}
	return connector.Errorf(to, "something went wrong")
}

var targetDefects = []defect{
	{name: "C3: new secrets are accepted and not used", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, rotate: func(context.Context, map[string]connector.Secret) error { return nil }}
	}},
	{name: "C4: a wrong secret is told as a lack of permission", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, steps: recodedSteps(t, connector.CodeAuthentication, connector.CodePermission)}
	}},
	{name: "C5: a target that is down is told as a defect", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, steps: recodedSteps(t, connector.CodeUnavailable, connector.CodeInternal)}
	}},
	{name: "C6: Check makes an object", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, steps: func(ctx context.Context) ([]connector.CheckStep, string) {
			name := "probe-" + time.Now().Format(time.RFC3339Nano)
			_, _ = t.Create(ctx, connector.Create{Type: "role", Attributes: connector.Attributes{{Name: "name", Values: connector.Values{name}}}})
			return t.CheckSteps(ctx)
		}}
	}},
	{name: "D1: a correlation attribute that is not unique", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, schema: func(ctx context.Context) (connector.Schema, error) {
			s, err := t.Schema(ctx)
			s = slices.Clone(s)
			s[0].Correlation = append(slices.Clone(s[0].Correlation), "department")
			return s, err
		}}
	}},
	{name: "D2: an attribute is read that the schema does not name", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, get: func(ctx context.Context, ref connector.Ref, as []string) (connector.Object, error) {
			o, err := t.Get(ctx, ref, as)
			o.Attributes = append(o.Attributes, connector.Attribute{Name: "_row", Values: connector.Values{int64(7)}})
			return o, err
		}}
	}},
	{name: "E1: an attribute is lost on create", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
			c.Attributes = slices.DeleteFunc(slices.Clone(c.Attributes), func(a connector.Attribute) bool { return a.Name == "title" })
			return t.Create(ctx, c)
		}}
	}},
	{name: "E2: the missing attribute is not named", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
			ref, err := t.Create(ctx, c)
			return ref, recode(err, connector.CodeInvalidValue, connector.CodeInvalidValue)
		}}
	}},
	{name: "E2: an object is made although an attribute is missing", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
			if c.Type == "user" && c.Attributes.Get("userName") == nil {
				c.Attributes = append(c.Attributes, connector.Attribute{Name: "userName", Values: connector.Values{"unnamed-" + c.Key}})
			}
			return t.Create(ctx, c)
		}}
	}},
	{name: "E3: what is in the way of a create is not told", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
			ref, err := t.Create(ctx, c)
			return ref, recode(err, connector.CodeAlreadyExists, connector.CodeAlreadyExists)
		}}
	}},
	{name: "E4: an adopted account is said to be enabled whatever it is", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
			ref, err := t.Create(ctx, c)
			var a *connector.Answer
			if errors.As(err, &a) && a.Result.Outcome == connector.OutcomeAdopted {
				obj := *a.Result.Object
				obj.Enabled = connector.IsEnabled
				err = connector.Adopted(obj)
			}
			return ref, err
		}}
	}},
	{name: "E5: an update that changes nothing is told as applied", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, update: func(ctx context.Context, u connector.Update) error { return notUnchanged(t.Update(ctx, u)) }}
	}},
	{name: "E6: a delta replaces the whole list", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, update: func(ctx context.Context, u connector.Update) error {
			u.Changes = slices.Clone(u.Changes)
			for i, c := range u.Changes {
				if c.Delta && len(c.Add) > 0 {
					u.Changes[i] = connector.Change{Name: c.Name, Replace: c.Add}
				}
			}
			return t.Update(ctx, u)
		}}
	}},
	{name: "E7: disabling empties the department", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, enable: func(ctx context.Context, s connector.SetEnabled) error {
			err := t.SetEnabled(ctx, s)
			if err == nil && !s.Enabled {
				_ = t.Update(ctx, connector.Update{Target: s.Target, Changes: []connector.Change{{Name: "department"}}})
			}
			return err
		}}
	}},
	{name: "E8: deleting what is gone is a defect", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, remove: func(ctx context.Context, d connector.Delete) error {
			return recode(t.Delete(ctx, d), connector.CodeNotFound, connector.CodeInternal)
		}}
	}},
	{name: "E9: disabling what is not there succeeds", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, enable: func(ctx context.Context, s connector.SetEnabled) error {
			err := t.SetEnabled(ctx, s)
			if connector.IsCode(err, connector.CodeNotFound) {
				return connector.Unchanged
			}
			return err
		}}
	}},
	{name: "E10: a grant that is held already is told as applied", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, grant: func(ctx context.Context, g connector.Grant) error { return notUnchanged(t.Grant(ctx, g)) }}
	}},
	{name: "E11: a missing group is a defect", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, grant: func(ctx context.Context, g connector.Grant) error {
			return recode(t.Grant(ctx, g), connector.CodeDependencyMissing, connector.CodeInternal)
		}}
	}},
	{name: "E12: a weak password is said to be set", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, setCred: func(ctx context.Context, s connector.SetCredential) error {
			err := t.SetCredential(ctx, s)
			if connector.IsCode(err, connector.CodePolicy) {
				return nil
			}
			return err
		}}
	}},
	{name: "E13: a rename does not tell the id", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, rename: func(ctx context.Context, r connector.Rename) (connector.Ref, error) {
			_, err := t.Rename(ctx, r)
			return connector.Ref{}, err
		}}
	}},
	{name: "E14: the version is not looked at", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, update: func(ctx context.Context, u connector.Update) error {
			u.IfVersion = ""
			return t.Update(ctx, u)
		}}
	}},
	{name: "E15: blanks are trimmed without a word", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
			c.Attributes = slices.Clone(c.Attributes)
			for i, a := range c.Attributes {
				if s, ok := a.Values[0].(string); ok && len(a.Values) == 1 {
					c.Attributes[i].Values = connector.Values{strings.TrimSpace(s)}
				}
			}
			return t.Create(ctx, c)
		}}
	}},
	{name: "E15: a star in a name is taken for a pattern", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, get: func(ctx context.Context, ref connector.Ref, as []string) (connector.Object, error) {
			if ref.ID == "" && strings.Contains(ref.By.Value, "*") {
				return connector.Object{}, connector.Errorf(connector.CodeAmbiguous, "several match")
			}
			return t.Get(ctx, ref, as)
		}}
	}},
	{name: "F4: after one bad operation the next one fails too", target: func(t *memory.Target) connector.Target {
		var made, poisoned atomic.Int32
		return &partial{Target: t,
			create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
				if n := made.Add(1); n > 50 && n <= 100 { // those behind the bad one are not done before it
					time.Sleep(50 * time.Millisecond)
				}
				if poisoned.CompareAndSwap(1, 0) {
					return connector.Ref{}, connector.Errorf(connector.CodeUnavailable, "the transaction was aborted")
				}
				return t.Create(ctx, c)
			},
			update: func(ctx context.Context, u connector.Update) error {
				err := t.Update(ctx, u)
				if connector.IsCode(err, connector.CodeNotFound) && made.Load() > 20 {
					poisoned.Store(1)
				}
				return err
			}}
	}},
	{name: "G1: a connection that broke before the request leaves the outcome open", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
			ref, err := t.Create(ctx, c)
			if connector.IsCode(err, connector.CodeUnavailable) {
				err = errors.New("broken pipe")
			}
			return ref, err
		}}
	}},
	{name: "G2: a lost reply is told as a failure", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
			ref, err := t.Create(ctx, c)
			if err != nil && ctx.Err() == nil && !errors.As(err, new(*connector.Error)) && !errors.As(err, new(*connector.Answer)) {
				err = connector.Errorf(connector.CodeUnavailable, "%w", err)
			}
			return ref, err
		}}
	}},
	{name: "G2: a create that may have gone through is done again", target: twice},
	{name: "G4: a target that asks to wait is not heard", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
			ref, err := t.Create(ctx, c)
			return ref, recode(err, connector.CodeRateLimited, connector.CodeRateLimited)
		}}
	}},
	{name: "H1: the last object of a small page is lost", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, list: func(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
			n := 0
			return t.List(ctx, q, func(o connector.Object) error {
				if n++; q.PageSize == 3 && n%3 == 0 {
					return nil
				}
				return yield(o)
			})
		}}
	}},
	{name: "H2: a page that shifts hides an object", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, list: func(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
			n := 0
			return t.List(ctx, q, func(o connector.Object) error {
				if n++; q.PageSize == 2 && n%2 == 0 {
					return nil
				}
				return yield(o)
			})
		}}
	}},
	{name: "H3: a listing that was cut short is told as complete", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, list: func(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
			end, err := t.List(ctx, q, yield)
			end.Complete = err == nil
			return end, err
		}}
	}},
	{name: "H5: deletions are not told", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, changes: func(ctx context.Context, q connector.ChangesQuery, yield func(connector.TargetChange) error) ([]byte, bool, error) {
			return t.Changes(ctx, q, func(c connector.TargetChange) error {
				if c.Object == nil {
					return nil
				}
				return yield(c)
			})
		}}
	}},
	{name: "I3: every create leaves a goroutine behind", target: func(t *memory.Target) connector.Target {
		return &partial{Target: t, create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
			go func() { time.Sleep(time.Minute) }()
			return t.Create(ctx, c)
		}}
	}},
}

func notUnchanged(err error) error {
	if errors.Is(err, connector.Unchanged) {
		return nil
	}
	return err
}

func recodedSteps(t *memory.Target, from, to connector.Code) func(context.Context) ([]connector.CheckStep, string) {
	return func(ctx context.Context) ([]connector.CheckStep, string) {
		steps, product := t.CheckSteps(ctx)
		for i := range steps {
			if steps[i].Err != nil {
				steps[i].Err = connector.AsError(recode(steps[i].Err, from, to))
			}
		}
		return steps, product
	}
}

// twice shows a second object where a create was sent again.
func twice(t *memory.Target) connector.Target {
	again := map[string]bool{} // values of userName
	return &partial{Target: t,
		create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
			if c.MaybeApplied {
				again[c.Correlate.Value] = true
			}
			return t.Create(ctx, c)
		},
		list: func(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
			return t.List(ctx, q, func(o connector.Object) error {
				err := yield(o)
				if err == nil && again[o.Attributes.Text("userName")] {
					o.Ref.ID += "-2"
					err = yield(o)
				}
				return err
			})
		}}
}
