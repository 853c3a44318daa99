package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/wording"
)

//go:embed init.yaml
var initTemplate []byte

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use: "init", Short: "Write a commented config to begin with", Args: none(),
		Long:    "Write a commented config to the file that --config names. A file that is there already is never overwritten.",
		Example: "  provhub init\n  provhub init --config /etc/provhub/provhub.yaml",
		RunE: func(*cobra.Command, []string) error {
			path := a.settings.ConfigPath
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			switch {
			case errors.Is(err, fs.ErrExist):
				return usageError{fmt.Errorf("%s is there already and stays as it is; --config names another file", path)}
			case errors.Is(err, fs.ErrNotExist):
				return usageError{fmt.Errorf("%s: there is no folder %s; make it first", path, filepath.Dir(path))}
			case err != nil:
				return err
			}
			if _, err := f.Write(initTemplate); err != nil {
				return errors.Join(err, f.Close(), os.Remove(path))
			}
			if err := f.Close(); err != nil {
				return err
			}
			if done, err := a.json(map[string]any{"wrote": path}); done {
				return err
			}
			a.printf("Wrote %s. Mend the paths and column names in it; its head says what comes next.\n", path)
			return nil
		},
	}
}

func (a *app) validateCommand() *cobra.Command {
	var offline bool
	c := &cobra.Command{
		Use: "validate", Short: "Check config, rules, source header and plugins", Args: none(),
		Long: `Check the config file whole: its form, every name in it, every expression against the
columns of its source and the attributes of its target, the columns against the header
of the source, and the plugins' own configs.
All faults are listed at once, each with its line where it has one. Secrets and
certificates that are named are looked for, and an identity provider is asked. Nothing
is read from the targets but their schema, and nothing is written.`,
		Example: "  provhub validate\n  provhub validate --offline --output json   # without starting plugins",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config()
			if err != nil {
				return a.faults(err)
			}
			r, err := hub.Validate(cmd.Context(), cfg, hub.ValidateOptions{Offline: offline, Log: a.logger(cfg.Log)})
			if !offline {
				unready, serr := servable(cmd.Context(), cfg)
				err = allFaults(cfg, err, errors.Join(serr, watchable(cfg)))
				if unready != nil {
					r.Warnings = append(r.Warnings, "web.oidc: nobody can sign in there now: "+unready.Error())
				}
			}
			if err != nil {
				return a.faults(err)
			}
			if done, err := a.json(struct {
				Valid bool `json:"valid"`
				hub.Validation
			}{true, r}); done {
				return err
			}
			for _, w := range r.Warnings {
				a.printf("warning: %s\n", w)
			}
			a.printf("%s is valid: %s, %s, %s.\n", cfg.Path, wording.Count(r.Sources, "source", "sources"),
				wording.Count(r.Connectors, "connector", "connectors"), wording.Count(r.Rules, "rule", "rules"))
			return nil
		},
	}
	c.Flags().BoolVar(&offline, "offline", false, "do not start plugins: their configs and the targets' attributes are not checked")
	return c
}

// allFaults puts what else is wrong behind the faults that a validation gave.
func allFaults(cfg *config.Config, err, more error) error {
	var all config.Faults
	if more == nil || err != nil && !errors.As(err, &all) {
		return errors.Join(err, more)
	}
	var add func(error)
	add = func(err error) {
		if several, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range several.Unwrap() {
				add(e)
			}
			return
		}
		all = append(all, config.Fault{File: cfg.Path, Text: err.Error()})
	}
	add(more)
	return all
}

// faults prints faults as JSON when that is wanted; as an error they print anyway.
func (a *app) faults(err error) error {
	if a.output != "json" {
		return err
	}
	if _, jerr := a.json(hub.FaultsOf(err)); jerr != nil {
		return jerr
	}
	return &exitError{code: exitCode(err)}
}
