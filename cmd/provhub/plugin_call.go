package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/byhand"
	"github.com/provhub/provhub/core/pluginhost"
	"github.com/provhub/provhub/wording"
)

// handCall is one call to a plugin by hand.
type handCall struct {
	app      *app
	request  byhand.Request
	password string // file that holds it; "-": stdin
	page     int
	limit    int
	token    string
}

// reading are the calls that change nothing, besides the operations.
var reading = map[string]func(*handCall, context.Context, *pluginhost.Instance) error{
	"check": (*handCall).check, "schema": (*handCall).schema, "get": (*handCall).get, "list": (*handCall).list, "changes": (*handCall).changes,
}

const pluginCallLong = `Start the plugin as the hub does, make one call and print what came of it; what the
plugin logs goes to stderr (not with --quiet). The target's config and secrets are those of testkit.yaml
beside the plugin, or of --kit; a fake in it lives as long as the call.

Calls that change nothing: describe, check, schema, get ID, list, changes.
Operations: create, update ID, enable ID, disable ID, delete ID, grant ID ENTITLEMENT,
revoke ID ENTITLEMENT, rename ID NEW-NAME, set_credential ID. --by NAME=VALUE finds
the object in place of its id.

Exit codes: 0 done, 1 failed, 2 usage.`

func (a *app) pluginCall() *cobra.Command {
	h := &handCall{app: a}
	r := &h.request
	var kit string
	c := &cobra.Command{
		Use: "call FILE|FOLDER CALL [ID] [ENTITLEMENT|NEW-NAME]", Short: "Make one call to a plugin by hand", Long: pluginCallLong,
		Args: args(cobra.RangeArgs(2, 4), "a plugin's file or folder, and a call such as check or create"),
		Example: `  provhub plugin call . schema
  provhub plugin call . create --attr userName=jdoe --attr mail=j@example.com
  provhub plugin call . update 17 --attr mail= --add phone=+49401234
  provhub plugin call . get --by userName=jdoe --output json
  provhub plugin call ./provhub-connector-acme list --kit sandbox.yaml --limit 10`,
		RunE: func(cmd *cobra.Command, args []string) error { return h.run(cmd.Context(), kit, args) },
	}
	f := c.Flags()
	f.StringVar(&kit, "kit", "", "file with the target's config and secrets (default testkit.yaml beside the plugin)")
	f.StringVar(&r.Type, "type", "", "object type (default: the only type of accounts)")
	f.StringVar(&r.By, "by", "", "find the object by NAME=VALUE in place of its id")
	f.StringArrayVar(&r.Attributes, "attr", nil, "attribute NAME=VALUE, again for each further value; NAME= clears it")
	f.StringArrayVar(&r.Add, "add", nil, "update: value to add, NAME=VALUE")
	f.StringArrayVar(&r.Remove, "remove", nil, "update: value to take away, NAME=VALUE")
	f.StringVar(&r.Container, "container", "", "rename: where the object moves")
	f.StringVar(&h.password, "password-file", "", "set_credential, create: file with the password, - for stdin")
	f.BoolVar(&r.Disabled, "disabled", false, "create: disabled")
	f.BoolVar(&r.Adopt, "adopt", false, "create: take over the account that is there")
	f.BoolVar(&r.MaybeApplied, "maybe-applied", false, "say that an earlier try may have gone through")
	f.BoolVar(&r.DryRun, "dry-run", false, "ask what would be done")
	f.StringVar(&r.Key, "key", "", "idempotency key (default: a new one)")
	f.StringVar(&r.IfVersion, "if-version", "", "only when the object has this version")
	f.DurationVar(&r.Timeout, "timeout", 0, "limit of the operation (default: the connector's)")
	f.IntVar(&h.page, "page-size", 0, "list: objects asked for at a time (default: the connector's choice)")
	f.IntVar(&h.limit, "limit", 0, "list: stop after so many (default: all)")
	f.StringVar(&h.token, "sync-token", "", "changes: from where, as an earlier call printed it (default: from now)")
	return c
}

func (h *handCall) run(ctx context.Context, kit string, args []string) error {
	call := strings.ReplaceAll(args[1], "-", "_")
	if call != "describe" && reading[call] == nil && !slices.Contains(byhand.Verbs(), call) {
		known := append(byhand.Verbs(), "describe", "check", "schema", "get", "list", "changes")
		return usageError{fmt.Errorf("there is no call %q%s; run `provhub plugin call --help`", args[1], wording.DidYouMean(args[1], known))}
	}
	if err := h.words(call, args[2:]); err != nil {
		return usageError{err}
	}
	target, clean, err := testTarget(ctx, args[0], kit)
	defer clean()
	if err != nil {
		return usageError{err}
	}
	if call == "describe" {
		return h.describe(ctx, target.Binary)
	}
	dir, err := os.MkdirTemp("", "provhub-plugin-call-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	in, err := pluginhost.Start(ctx, pluginhost.Config{InstanceID: "by-hand", Path: target.Binary, Dev: true, ConfigJSON: target.Config, Secrets: target.Secrets,
		DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer h.end(context.WithoutCancel(ctx), in)
	if do := reading[call]; do != nil {
		return do(h, ctx, in)
	}
	return h.operate(ctx, in)
}

// maxLogged bounds the plugin's log lines that are shown.
const maxLogged = 200

// end stops the plugin and shows what it logged.
func (h *handCall) end(ctx context.Context, in *pluginhost.Instance) {
	_ = in.Stop(ctx, time.Second) // it has nothing to do any more
	if h.app.quiet {
		return
	}
	for _, line := range in.Log(maxLogged) {
		fmt.Fprintf(h.app.err, "log: %s\n", line)
	}
}

// words takes the arguments after the call.
func (h *handCall) words(call string, words []string) error {
	r := &h.request
	r.Verb = connector.Verb(call)
	if r.By == "" && len(words) > 0 {
		r.ID, words = words[0], words[1:]
	}
	switch {
	case len(words) == 1 && (call == "grant" || call == "revoke"):
		r.Entitlement, words = words[0], nil
	case len(words) == 1 && call == "rename":
		r.Name, words = words[0], nil
	}
	if len(words) > 0 {
		return fmt.Errorf("%s does not know what to do with %q", call, words[0])
	}
	if h.password == "" {
		return nil
	}
	text, err := h.readPassword()
	r.Password = connector.NewSecret(strings.TrimRight(string(text), "\r\n"))
	return err
}

func (h *handCall) readPassword() ([]byte, error) {
	if h.password == "-" {
		return io.ReadAll(h.app.in)
	}
	return os.ReadFile(h.password)
}

// operate carries the operation out.
func (h *handCall) operate(ctx context.Context, in *pluginhost.Instance) error {
	op, err := h.request.Operation(in.Schema())
	if err != nil {
		return usageError{err}
	}
	results := in.Apply(ctx, []connector.Operation{op})
	if len(results) != 1 {
		return errors.New("the plugin did not answer")
	}
	return h.printResult(results[0])
}

// object returns the reference that the arguments name, and its type.
func (h *handCall) object(in *pluginhost.Instance) (connector.ObjectType, connector.Ref, error) {
	t, err := byhand.TypeOf(in.Schema(), h.request.Type)
	if err != nil {
		return t, connector.Ref{}, usageError{err}
	}
	ref, err := byhand.Ref(t, h.request.ID, h.request.By)
	if err != nil {
		return t, ref, usageError{err}
	}
	return t, ref, nil
}

func (h *handCall) get(ctx context.Context, in *pluginhost.Instance) error {
	_, ref, err := h.object(in)
	if err != nil {
		return err
	}
	o, err := in.Get(ctx, ref, nil)
	if err != nil {
		return err
	}
	if done, err := h.app.json(o); done {
		return err
	}
	h.printObject(o)
	return nil
}

var errEnough = errors.New("enough")

func (h *handCall) list(ctx context.Context, in *pluginhost.Instance) error {
	t, err := byhand.TypeOf(in.Schema(), h.request.Type)
	if err != nil {
		return usageError{err}
	}
	var all []connector.Object
	end, err := in.List(ctx, connector.ListQuery{Type: t.Name, PageSize: h.page}, func(o connector.Object) error {
		if all = append(all, o); h.limit > 0 && len(all) >= h.limit {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return h.printList(all, end)
}

func (h *handCall) changes(ctx context.Context, in *pluginhost.Instance) error {
	t, err := byhand.TypeOf(in.Schema(), h.request.Type)
	if err != nil {
		return usageError{err}
	}
	token, err := base64.StdEncoding.DecodeString(h.token)
	if err != nil {
		return usageError{fmt.Errorf("--sync-token is not what an earlier call printed: %w", err)}
	}
	told := []connector.TargetChange{}
	last, expired, err := in.Changes(ctx, connector.ChangesQuery{Type: t.Name, SyncToken: token}, func(c connector.TargetChange) error {
		told = append(told, c)
		return nil
	})
	if err != nil {
		return err
	}
	return h.printChanges(told, last, expired)
}
