package main

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/pluginhost"
	"github.com/provhub/provhub/wording"
)

func (h *handCall) describe(ctx context.Context, binary string) error {
	d, err := pluginhost.Inspect(ctx, binary, "")
	if err != nil {
		return err
	}
	if done, err := h.app.json(d); done {
		return err
	}
	h.app.printf("%s %s: %s\n", d.Type, d.Version, d.DisplayName)
	h.app.printf("%d operations at once; repeating a create: %s\n\n", d.Capabilities.MaxInFlight, d.Capabilities.Idempotency)
	h.app.table([]any{"config", "type", "", "what it is"}, configRows(d.ConfigSchema))
	return nil
}

func (h *handCall) schema(_ context.Context, in *pluginhost.Instance) error {
	if done, err := h.app.json(in.Schema()); done {
		return err
	}
	for i, t := range in.Schema() {
		if i > 0 {
			h.app.printf("\n")
		}
		h.app.printf("%s (%s), found by %s\n", t.Name, t.Kind, strings.Join(t.Correlation, ", "))
		rows := make([][]any, len(t.Attributes))
		for i, a := range t.Attributes {
			rows[i] = []any{a.Name, a.Type, flagsOf(a), a.Description}
		}
		h.app.table([]any{"attribute", "type", "", "what it is"}, rows)
	}
	return nil
}

// flagsOf says in words what is not usual about an attribute.
func flagsOf(a connector.Attr) string {
	var parts []string
	for _, f := range []struct {
		is   bool
		word string
	}{
		{a.Required, "required"}, {a.Unique, "unique"}, {a.Multi, "several"}, {a.ReadOnly, "read only"}, {a.CreateOnly, "on create only"},
		{a.WriteOnly, "write only"}, {a.CaseExact, "case counts"}, {a.Naming, "naming"},
	} {
		if f.is {
			parts = append(parts, f.word)
		}
	}
	return list(parts)
}

func (h *handCall) check(ctx context.Context, in *pluginhost.Instance) error {
	steps, product, err := in.Check(ctx)
	if err != nil {
		return err
	}
	failed := slices.ContainsFunc(steps, func(s connector.CheckStep) bool { return s.Status == connector.CheckFail })
	type row struct {
		Step    string                `json:"step"`
		Status  connector.CheckStatus `json:"status"`
		Message string                `json:"message,omitempty"`
		Error   *connector.Error      `json:"error,omitempty"`
	}
	rows := make([]row, len(steps))
	cells := make([][]any, len(steps))
	for i, s := range steps {
		rows[i] = row{s.Name, s.Status, s.Message, s.Err}
		text := s.Message
		if s.Err != nil {
			text = s.Err.Error()
		}
		cells[i] = []any{s.Status, s.Name, text}
	}
	if done, err := h.app.json(map[string]any{"product": product, "steps": rows}); done {
		return orExit(err, failed)
	}
	h.app.table([]any{"", "step", ""}, cells)
	return orExit(nil, failed)
}

// printResult prints the answer to an operation.
func (h *handCall) printResult(r connector.Result) error {
	failed := !r.Outcome.Done() && r.Outcome != connector.OutcomePending && r.Outcome != connector.OutcomeWouldApply
	if done, err := h.app.json(struct {
		Outcome connector.Outcome `json:"outcome"`
		Code    string            `json:"code,omitempty"`
		Error   *connector.Error  `json:"error,omitempty"`
		Object  *connector.Object `json:"object,omitempty"`
		Preview string            `json:"preview,omitempty"`
		Took    string            `json:"took"`
	}{r.Outcome, codeOf(r.Err), r.Err, r.Object, r.Preview, r.Took.String()}); done {
		return orExit(err, failed)
	}
	h.app.printf("%s in %v\n", r.Outcome, r.Took.Round(10*time.Microsecond))
	if r.Err != nil {
		h.app.printf("  %s; the hub would %s\n", r.Err.Error(), h.wouldDo(r.Err))
		if r.Err.RetryAfter > 0 {
			h.app.printf("  not before %v\n", r.Err.RetryAfter)
		}
		if r.Err.Detail != "" {
			h.app.printf("  the target says: %s\n", r.Err.Detail)
		}
	}
	if r.Preview != "" {
		h.app.printf("%s\n", r.Preview)
	}
	if r.Object != nil {
		h.printObject(*r.Object)
	}
	return orExit(nil, failed)
}

func codeOf(e *connector.Error) string {
	if e == nil {
		return ""
	}
	return e.Code.String()
}

// wouldDo says what the hub does about an error of this class.
func (h *handCall) wouldDo(e *connector.Error) string {
	switch e.Class() {
	case connector.ClassTransient:
		return "try again later"
	case connector.ClassConflict:
		return "read the account and plan anew"
	case connector.ClassInstance:
		return "stop this connector and tell a person"
	case connector.ClassPermanent:
		return "park this operation"
	}
	return "park this operation as a defect of the connector"
}

func (h *handCall) printObject(o connector.Object) {
	rows := [][]any{{"id", o.Ref.ID}}
	if o.Ref.Version != "" {
		rows = append(rows, []any{"version", o.Ref.Version})
	}
	if o.Enabled != connector.EnabledUnknown {
		rows = append(rows, []any{"state", o.Enabled})
	}
	for _, a := range o.Attributes {
		rows = append(rows, []any{a.Name, joinedValues(a.Values)})
	}
	for _, g := range o.Grants {
		rows = append(rows, []any{"holds", g.Type + "/" + g.ID})
	}
	h.app.table([]any{"", "value"}, rows)
}

func joinedValues(vs connector.Values) string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = connector.Text(v)
	}
	return strings.Join(out, ", ")
}

func (h *handCall) printList(all []connector.Object, end connector.ListEnd) error {
	if done, err := h.app.json(struct {
		Objects   []connector.Object `json:"objects"`
		Complete  bool               `json:"complete"`
		SyncToken []byte             `json:"sync_token,omitempty"`
	}{append([]connector.Object{}, all...), end.Complete, end.SyncToken}); done {
		return err
	}
	rows := make([][]any, len(all))
	for i, o := range all {
		var parts []string
		for _, a := range o.Attributes {
			parts = append(parts, a.Name+"="+joinedValues(a.Values))
		}
		rows[i] = []any{o.Ref.ID, o.Enabled, strings.Join(parts, " ")}
	}
	h.app.table([]any{"id", "state", "attributes"}, rows)
	state := "this is all there is"
	if !end.Complete {
		state = "there may be more"
	}
	h.app.printf("%s; %s\n", wording.Count(len(all), "object", "objects"), state)
	h.printToken(end.SyncToken)
	return nil
}

func (h *handCall) printToken(token []byte) {
	if token != nil {
		h.app.printf("changes from here: --sync-token %s\n", base64.StdEncoding.EncodeToString(token))
	}
}

func (h *handCall) printChanges(told []connector.TargetChange, last []byte, expired bool) error {
	type row struct {
		ID      string            `json:"id"`
		Deleted bool              `json:"deleted"`
		Object  *connector.Object `json:"object,omitempty"`
	}
	rows := make([]row, len(told))
	cells := make([][]any, len(told))
	for i, c := range told {
		rows[i] = row{c.Ref.ID, c.Object == nil, c.Object}
		cells[i] = []any{c.Ref.ID, map[bool]string{true: "deleted", false: "changed"}[c.Object == nil]}
	}
	if done, err := h.app.json(map[string]any{"changes": rows, "sync_token": last, "token_expired": expired}); done {
		return err
	}
	if expired {
		h.app.printf("The token is too old: list everything once.\n")
	}
	h.app.table([]any{"id", "what"}, cells)
	h.app.printf("%s\n", wording.Count(len(told), "change", "changes"))
	h.printToken(last)
	return nil
}
