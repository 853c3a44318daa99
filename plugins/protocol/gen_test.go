package protocol

import (
	"time"

	"pgregory.net/rapid"

	"github.com/provhub/provhub/connectors/connector"
)

// The generators draw everything the contract allows, so that a field which the
// conversion forgets shows up as a difference.

var (
	genText = rapid.StringN(0, 12, -1)
	genTime = rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 999999999).Draw(t, "nanos")).UTC()
	})
	genWait  = rapid.Map(rapid.Int64Range(0, int64(48*time.Hour)), func(n int64) time.Duration { return time.Duration(n) })
	genTexts = rapid.Custom(func(t *rapid.T) []string {
		return nilIfEmpty(rapid.SliceOfN(genText, 0, 3).Draw(t, "texts"))
	})
	genRef = rapid.Custom(func(t *rapid.T) connector.Ref {
		return connector.Ref{Type: genText.Draw(t, "type"), ID: genText.Draw(t, "id"), Name: genText.Draw(t, "name"),
			By: connector.Correlation{Attribute: genText.Draw(t, "attribute"), Value: genText.Draw(t, "value")}}
	})
	genValue = rapid.OneOf(
		rapid.Map(genText, func(s string) any { return s }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(genTime, func(t time.Time) any { return t }),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return b }),
		rapid.Map(genRef, func(r connector.Ref) any { return r }),
		rapid.Map(genText, func(s string) any { return connector.NewSecret(s) }),
		rapid.Map(genText, func(s string) any { return connector.Date(s) }),
		rapid.Map(genText, func(s string) any {
			return map[string]any{"text": s, "number": 1.5, "list": []any{true, nil, "x"}, "inner": map[string]any{}}
		}),
	)
	genValues = rapid.Custom(func(t *rapid.T) connector.Values {
		return nilIfEmpty(rapid.SliceOfN(genValue, 0, 3).Draw(t, "values"))
	})
	genAttributes = rapid.Custom(func(t *rapid.T) connector.Attributes {
		return nilIfEmpty(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) connector.Attribute {
			return connector.Attribute{Name: genText.Draw(t, "name"), Values: genValues.Draw(t, "values"), Incomplete: rapid.Bool().Draw(t, "incomplete")}
		}), 0, 4).Draw(t, "attributes"))
	})
	genEnabled = rapid.SampledFrom([]connector.Enabled{connector.EnabledUnknown, connector.IsEnabled, connector.IsDisabled})
	genObject  = rapid.Custom(func(t *rapid.T) connector.Object {
		o := connector.Object{Ref: genRef.Draw(t, "ref"), Attributes: genAttributes.Draw(t, "attributes"), Enabled: genEnabled.Draw(t, "enabled")}
		o.Ref.Version = genText.Draw(t, "version")
		if rapid.Bool().Draw(t, "grants known") {
			o.Grants = append([]connector.Ref{}, rapid.SliceOfN(genRef, 0, 3).Draw(t, "grants")...)
		}
		if rapid.Bool().Draw(t, "modified") {
			o.ModifiedAt = genTime.Draw(t, "modified at")
		}
		return o
	})
	genError = rapid.Custom(func(t *rapid.T) *connector.Error {
		e := &connector.Error{
			Code: connector.Code(rapid.IntRange(1, 120).Draw(t, "code")), Message: genText.Draw(t, "message"), Detail: genText.Draw(t, "detail"),
			NativeCode: genText.Draw(t, "native"), RetryAfter: genWait.Draw(t, "retry after"), Attributes: genTexts.Draw(t, "attributes"),
			Scope: rapid.SampledFrom([]connector.Scope{"", connector.ScopeOperation, connector.ScopeObject, connector.ScopeInstance}).Draw(t, "scope"),
		}
		if rapid.Bool().Draw(t, "conflicting") {
			ref := genRef.Draw(t, "conflicting ref")
			e.Conflicting = &ref
		}
		return e
	})
	genCall = rapid.Custom(func(t *rapid.T) connector.Call {
		return connector.Call{
			ID: genText.Draw(t, "id"), Key: rapid.StringN(1, 12, -1).Draw(t, "key"), Attempt: rapid.IntRange(0, 99).Draw(t, "attempt"),
			MaybeApplied: rapid.Bool().Draw(t, "maybe applied"), OrderingKey: genText.Draw(t, "ordering key"), Group: genText.Draw(t, "group"),
			GroupSize: rapid.IntRange(0, 9).Draw(t, "group size"), Timeout: genWait.Draw(t, "timeout"), IfVersion: genText.Draw(t, "if version"),
			Trace: genText.Draw(t, "trace"), DryRun: rapid.Bool().Draw(t, "dry run"),
		}
	})
	genChange = rapid.Custom(func(t *rapid.T) connector.Change {
		c := connector.Change{Name: genText.Draw(t, "name"), Delta: rapid.Bool().Draw(t, "delta")}
		if c.Delta {
			c.Add, c.Remove = genValues.Draw(t, "add"), genValues.Draw(t, "remove")
		} else {
			c.Replace = genValues.Draw(t, "replace")
		}
		return c
	})
	genOperation = rapid.OneOf(
		rapid.Custom(func(t *rapid.T) connector.Operation {
			return connector.Create{Call: genCall.Draw(t, "call"), Type: genText.Draw(t, "type"), Attributes: genAttributes.Draw(t, "attributes"),
				Enabled: genEnabled.Draw(t, "enabled"), Credential: connector.NewSecret(genText.Draw(t, "credential")),
				Correlate: connector.Correlation{Attribute: genText.Draw(t, "by"), Value: genText.Draw(t, "value")}, Adopt: rapid.Bool().Draw(t, "adopt")}
		}),
		rapid.Custom(func(t *rapid.T) connector.Operation {
			return connector.Update{Call: genCall.Draw(t, "call"), Target: genRef.Draw(t, "target"), Changes: nilIfEmpty(rapid.SliceOfN(genChange, 0, 3).Draw(t, "changes"))}
		}),
		rapid.Custom(func(t *rapid.T) connector.Operation {
			return connector.SetEnabled{Call: genCall.Draw(t, "call"), Target: genRef.Draw(t, "target"), Enabled: rapid.Bool().Draw(t, "enabled"), Reason: genText.Draw(t, "reason")}
		}),
		rapid.Custom(func(t *rapid.T) connector.Operation {
			return connector.Delete{Call: genCall.Draw(t, "call"), Target: genRef.Draw(t, "target")}
		}),
		rapid.Custom(func(t *rapid.T) connector.Operation {
			g := connector.Grant{Call: genCall.Draw(t, "call"), Principal: genRef.Draw(t, "principal"), Entitlement: genRef.Draw(t, "entitlement"), Attributes: genAttributes.Draw(t, "attributes")}
			if rapid.Bool().Draw(t, "expires") {
				g.ExpiresAt = genTime.Draw(t, "expires at")
			}
			return g
		}),
		rapid.Custom(func(t *rapid.T) connector.Operation {
			return connector.Revoke{Call: genCall.Draw(t, "call"), Principal: genRef.Draw(t, "principal"), Entitlement: genRef.Draw(t, "entitlement")}
		}),
		rapid.Custom(func(t *rapid.T) connector.Operation {
			return connector.SetCredential{Call: genCall.Draw(t, "call"), Target: genRef.Draw(t, "target"), Credential: connector.NewSecret(genText.Draw(t, "credential")), MustChange: rapid.Bool().Draw(t, "must change")}
		}),
		rapid.Custom(func(t *rapid.T) connector.Operation {
			return connector.Rename{Call: genCall.Draw(t, "call"), Target: genRef.Draw(t, "target"), NewName: genText.Draw(t, "name"), NewContainer: genText.Draw(t, "container")}
		}),
		rapid.Custom(func(t *rapid.T) connector.Operation {
			return connector.Poll{Call: genCall.Draw(t, "call"), Continuation: nilIfEmpty(rapid.SliceOf(rapid.Byte()).Draw(t, "continuation"))}
		}),
	)
	genOutcome = rapid.SampledFrom([]connector.Outcome{connector.OutcomeApplied, connector.OutcomeUnchanged, connector.OutcomeAdopted, connector.OutcomePending,
		connector.OutcomeActionRequired, connector.OutcomePartial, connector.OutcomeFailed, connector.OutcomeUnknown, connector.OutcomeCancelled, connector.OutcomeWouldApply})
	genResult = rapid.Custom(func(t *rapid.T) connector.Result {
		r := connector.Result{
			ID: genText.Draw(t, "id"), Outcome: genOutcome.Draw(t, "outcome"), Applied: genTexts.Draw(t, "applied"),
			Credential: connector.NewSecret(genText.Draw(t, "credential")), Continuation: nilIfEmpty(rapid.SliceOf(rapid.Byte()).Draw(t, "continuation")),
			PollAfter: genWait.Draw(t, "poll after"), Took: genWait.Draw(t, "took"), RequestID: genText.Draw(t, "request"), Preview: genText.Draw(t, "preview"),
		}
		if needsReason(r.Outcome) || rapid.Bool().Draw(t, "has error") {
			r.Err = genError.Draw(t, "error")
		}
		if rapid.Bool().Draw(t, "has object") {
			o := genObject.Draw(t, "object")
			r.Object = &o
		}
		if rapid.Bool().Draw(t, "expires") {
			r.ExpiresAt = genTime.Draw(t, "expires at")
		}
		return r
	})
)

func nilIfEmpty[S ~[]E, E any](s S) S {
	if len(s) == 0 {
		return nil
	}
	return s
}
