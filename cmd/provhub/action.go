package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/hub"
)

// actionFlags say how an action is run.
type actionFlags struct {
	args  []string
	raw   string
	write bool
	out   string
	limit time.Duration
}

func (f *actionFlags) add(c *cobra.Command, out string) {
	c.Flags().StringArrayVar(&f.args, "arg", nil, "an argument, NAME=VALUE or NAME=@FILE; may be repeated")
	c.Flags().StringVar(&f.raw, "args", "", "all arguments as one JSON object")
	c.Flags().BoolVar(&f.write, "write", false, "allow it to change the target; goes into the audit trail")
	c.Flags().StringVar(&f.out, "out", "", out)
	c.Flags().DurationVar(&f.limit, "timeout", 10*time.Minute, "how long it may take")
	c.MarkFlagsMutuallyExclusive("arg", "args")
}

func (a *app) connectorAction() *cobra.Command {
	var f actionFlags
	c := &cobra.Command{
		Use: "action NAME [ACTION]", Short: "Run an action that a connector offers, or list them",
		Long: `Run an action that a connector offers, such as a probe of its target, and print what
it answers; without ACTION, list them. One that may change the target needs --write.`,
		Args:    args(cobra.RangeArgs(1, 2), "the name of one connector, and of one action"),
		Example: "  provhub connector action crm\n  provhub connector action crm probe --arg page_size=50 --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			actions, err := h.Actions(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return a.printActions(args[0], actions)
			}
			result, err := a.invoke(cmd.Context(), h, args[0], args[1], actions, f)
			if err != nil {
				return err
			}
			if f.out != "" {
				return a.writeNew(f.out, append(result, '\n'))
			}
			return a.printResult(result)
		}),
	}
	f.add(c, "write the answer, JSON, to this new file")
	return c
}

// actionProbe is the action that `connector probe` runs.
const actionProbe = "probe"

func (a *app) connectorProbe() *cobra.Command {
	var f actionFlags
	c := &cobra.Command{
		Use: "probe NAME", Short: "Measure what a target can do, and suggest a profile for it",
		Long: `Ask a connector to measure its target: what it can do, where it differs from the
profile in use, and by what evidence. It changes nothing in the target unless --write
allows it to make something there and remove it again.`,
		Args:    args(cobra.ExactArgs(1), "the name of one connector"),
		Example: "  provhub connector probe wiki\n  provhub connector probe wiki --write --out wiki.profile.yaml\n  provhub connector probe wiki --arg former=@wiki.profile.yaml   # what has changed since",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			actions, err := h.Actions(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			result, err := a.invoke(cmd.Context(), h, args[0], actionProbe, actions, f)
			if err != nil {
				return err
			}
			return a.printProbe(args[0], result, f.out)
		}),
	}
	f.add(c, "write the profile that it suggests to this new file")
	return c
}

// invoke runs an action with what the flags say.
func (a *app) invoke(ctx context.Context, h *hub.Hub, name, action string, actions []connector.Action, f actionFlags) (json.RawMessage, error) {
	if f.out != "" {
		if _, err := os.Stat(f.out); !errors.Is(err, fs.ErrNotExist) {
			return nil, usageError{fmt.Errorf("--out: %s is there already; give the name of a new file", f.out)}
		}
	}
	run := hub.ActionRun{Connector: name, Action: action, Write: f.write}
	var err error
	if run.Args, err = f.arguments(schemaOf(actions, action)); err != nil {
		return nil, usageError{err}
	}
	ctx, cancel := context.WithTimeout(ctx, f.limit)
	defer cancel()
	return h.Invoke(ctx, run)
}

// schemaOf is what an action takes; the zero schema when it is not there.
func schemaOf(actions []connector.Action, name string) configSchema {
	var s configSchema
	for _, a := range actions {
		if a.Name == name && len(a.Arguments) > 0 {
			_ = json.Unmarshal(a.Arguments, &s) // then every value is text, and the plugin says what it expects
		}
	}
	return s
}

// arguments reads --args or --arg. A value is text unless the schema says otherwise.
func (f *actionFlags) arguments(s configSchema) (map[string]any, error) {
	out := map[string]any{}
	if f.raw != "" {
		if err := json.Unmarshal([]byte(f.raw), &out); err != nil {
			return nil, fmt.Errorf("--args is not a JSON object: %w", err)
		}
		return out, nil
	}
	for _, arg := range f.args {
		name, text, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--arg %q is not of the form NAME=VALUE", arg)
		}
		if file, ok := strings.CutPrefix(text, "@"); ok {
			content, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("--arg %s: %w", name, err)
			}
			text = string(content)
		}
		v, err := argument(s.Properties[name], text)
		if err != nil {
			return nil, fmt.Errorf("--arg %s: %w", name, err)
		}
		out[name] = v
	}
	return out, nil
}

func argument(s *configSchema, text string) (any, error) {
	if s == nil {
		return text, nil
	}
	switch s.typeText() {
	case "boolean":
		on, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", text)
		}
		return on, nil
	case "integer", "number":
		if !json.Valid([]byte(text)) {
			return nil, fmt.Errorf("%q is not a number", text)
		}
		return json.Number(text), nil
	case "array":
		list := []any{}
		for _, part := range strings.Split(text, ",") {
			v, err := argument(s.Items, strings.TrimSpace(part))
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	return text, nil
}

// printActions lists what a person can start on a connector.
func (a *app) printActions(name string, actions []connector.Action) error {
	if done, err := a.json(actions); done {
		return err
	}
	if len(actions) == 0 {
		a.printf("%s offers no actions.\n", name)
		return nil
	}
	for i, act := range actions {
		if i > 0 {
			a.printf("\n")
		}
		changes := ""
		if act.Destructive {
			changes = " (changes the target: needs --write)"
		}
		a.printf("%s%s\n  %s\n", act.Name, changes, act.Description)
		if len(act.Arguments) > 0 {
			rows := configRows(act.Arguments)
			for _, r := range rows {
				r[0] = fmt.Sprintf("  %s", r[0])
			}
			a.table([]any{"  argument", "type", "", ""}, rows)
		}
	}
	return nil
}

// writeNew writes a file that must not be there yet.
func (a *app) writeNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
