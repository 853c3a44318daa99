package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"slices"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/wording"
)

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is what all commands share.
type app struct {
	streams
	output   string // table or json
	quiet    bool
	actor    string
	settings config.Settings
}

const rootLong = `provhub keeps the accounts in many target apps in step with one source of truth.

It reads people from the source, works out what each target should hold, compares
that with what it last put there, shows the difference as a plan, and sends it
through a queue that loses nothing and does nothing twice.

Exit codes: 0 nothing wrong, 1 failed, 2 usage or config, 3 held by a guard,
4 finished but something waits: operations that are parked or to be tried again,
records that are bad.`

const rootExample = `  provhub init                     write a commented config to begin with
  provhub plugin pin sql           trust the plugin binary that is there now
  provhub validate                 check config, rules and plugins
  provhub plan                     show what would change; nothing is sent
  provhub sync                     plan, apply and send
  provhub ops list                 what failed, why, and what to do
  provhub explain jane@example.org why an account is as it is`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "provhub", Short: "Keep accounts in step with one source of truth",
		Long: rootLong, Example: rootExample, Version: version,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w\nrun `%s --help` for the flags and an example", err, cmd.CommandPath())}
	})
	f := root.PersistentFlags()
	config.AddFlags(f)
	f.StringVarP(&a.output, "output", "o", "table", "how to print: table or json")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no progress")
	f.StringVar(&a.actor, "as", "", "who is named in the audit trail (default: the user of the system)")
	root.AddCommand(
		a.initCommand(), a.validateCommand(),
		a.planCommand(), a.applyCommand(), a.syncCommand(),
		a.serveCommand(), a.nodeCommand(), a.alertCommand(),
		a.sourceCommand(), a.accountCommand(), a.explainCommand(),
		a.opsCommand(), a.auditCommand(),
		a.connectorCommand(), a.stopCommand(), a.goCommand(), a.reconcileCommand(), a.pluginCommand(),
		a.backupCommand(), a.restoreCommand(), a.migrateCommand(),
		a.userCommand(),
	)
	requireSubcommand(root)
	return root
}

// requireSubcommand makes a wrong subcommand a mistake instead of a help page.
func requireSubcommand(c *cobra.Command) {
	for _, sub := range c.Commands() {
		requireSubcommand(sub)
	}
	if !c.HasSubCommands() || c.RunE != nil {
		return
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return usageError{fmt.Errorf("there is no command `%s %s`%s; run `%s --help`",
			cmd.CommandPath(), args[0], wording.DidYouMean(args[0], names), cmd.CommandPath())}
	}
}

func (a *app) prepare(cmd *cobra.Command) error {
	if !slices.Contains([]string{"table", "json"}, a.output) {
		return usageError{fmt.Errorf("--output is %q; expected table or json", a.output)}
	}
	s, err := config.ReadSettings(cmd.Flags())
	if err != nil {
		return usageError{err}
	}
	a.settings = s
	if a.actor == "" {
		a.actor = systemUser()
	}
	return nil
}

func systemUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// args wraps cobra's check of arguments so that a mistake has the right exit code.
func args(check cobra.PositionalArgs, usage string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := check(cmd, given); err != nil {
			return usageError{fmt.Errorf("%s needs %s; run `%s --help` for an example", cmd.CommandPath(), usage, cmd.CommandPath())}
		}
		if err := cmd.ValidateFlagGroups(); err != nil { // cobra would, and not call it a mistake in usage
			return usageError{err}
		}
		return nil
	}
}

// none accepts no arguments.
func none() cobra.PositionalArgs { return args(cobra.NoArgs, "no arguments, only flags") }

// config loads the config file.
func (a *app) config() (*config.Config, error) {
	return config.Load(a.settings.ConfigPath, a.settings)
}

// open opens the hub; the caller closes it through closeHub.
func (a *app) open(ctx context.Context) (*hub.Hub, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	return hub.Open(ctx, cfg, hub.Options{Version: version, Log: a.logger(cfg.Log), Actor: a.actor, Progress: a.progress()})
}

func (a *app) logger(l config.Log) *slog.Logger {
	var level slog.Level
	// The config has checked the level.
	_ = level.UnmarshalText([]byte(l.Level))
	if a.settings.LogLevel == "" && l.Level == "info" {
		level = slog.LevelWarn // a command prints its result; the log is for trouble
	}
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(a.err, o))
	}
	return slog.New(slog.NewTextHandler(a.err, o))
}

// withHub runs f with an open hub and closes it.
func (a *app) withHub(f func(cmd *cobra.Command, h *hub.Hub, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		h, err := a.open(cmd.Context())
		if err != nil {
			return err
		}
		defer func() {
			if cerr := h.Close(); err == nil {
				err = cerr
			}
		}()
		return f(cmd, h, args)
	}
}
