package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/pluginhost"
)

func (a *app) pluginCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "plugin", Short: "Pin, list, inspect, write and test connector plugins",
		Example: `  provhub plugin list
  provhub plugin pin sql                 # trust the binary that is there now
  provhub plugin schema sql              # what its config may say
  provhub plugin new acme --kind http    # write a plugin that passes its tests
  provhub plugin test ./provhub-connector-acme`,
	}
	c.AddCommand(a.pluginList(), a.pluginPin(), a.pluginSchema(), a.pluginNew(), a.pluginTest(), a.pluginCall())
	return c
}

func (a *app) pluginList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List plugins: what is there and what is pinned", Args: none(),
		Example: "  provhub plugin list",
		RunE: func(*cobra.Command, []string) error {
			cat, err := a.catalog()
			if err != nil {
				return err
			}
			list, err := hub.ListPlugins(cat)
			if err != nil {
				return err
			}
			if done, err := a.json(list); done {
				return err
			}
			if len(list) == 0 {
				a.printf("There are no plugins; they are files named provhub-connector-TYPE beside provhub, or in plugins.dir.\n")
			}
			rows := make([][]any, len(list))
			for i, p := range list {
				rows[i] = []any{p.Type, p.Version, p.State, p.Path}
			}
			a.table([]any{"type", "version", "state", "file"}, rows)
			return nil
		},
	}
}

// catalog reads plugins.lock. It works without a config file, as an author of a
// plugin has none.
func (a *app) catalog() (*pluginhost.Catalog, error) {
	cfg, err := a.config()
	if errors.Is(err, os.ErrNotExist) {
		cfg = &config.Config{Plugins: config.Plugins{Dir: a.settings.PluginDir, Lock: "plugins.lock"}}
	} else if err != nil {
		return nil, err
	}
	return hub.Catalog(cfg)
}

func (a *app) pluginPin() *cobra.Command {
	return &cobra.Command{
		Use: "pin TYPE|FILE...", Short: "Trust the plugin binaries that are there now", Args: args(cobra.MinimumNArgs(1), "the type of a plugin, or its file"),
		Long: `Start each binary, ask what it is, and write its type, version and SHA-256 into
plugins.lock. From then on provhub runs exactly this file and refuses any other.`,
		Example: "  provhub plugin pin sql memory\n  provhub plugin pin ./build/provhub-connector-acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			cat, err := a.catalog()
			if err != nil {
				return err
			}
			pins := []hub.PinnedPlugin{}
			for _, arg := range args {
				p, err := hub.Pin(cmd.Context(), cat, arg)
				if err != nil {
					return err
				}
				pins = append(pins, p)
			}
			if err := cat.Lock.Save(); err != nil {
				return err
			}
			if done, err := a.json(pins); done {
				return err
			}
			for _, p := range pins {
				a.printf("Pinned %s %s, sha256 %s%s\n", p.Type, p.Version, short(p.SHA256), replaced(p))
			}
			return nil
		},
	}
}

func replaced(p hub.PinnedPlugin) string {
	switch {
	case p.Before == "":
		return ""
	case p.Before == p.SHA256:
		return " (as before)"
	}
	return fmt.Sprintf(" (was %s)", short(p.Before))
}

func (a *app) pluginSchema() *cobra.Command {
	return &cobra.Command{
		Use: "schema TYPE|FILE", Short: "Show what a plugin's config may say", Args: args(cobra.ExactArgs(1), "the type of a plugin, or its file"),
		Example: "  provhub plugin schema sql\n  provhub plugin schema sql --output json > sql.schema.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			cat, err := a.catalog()
			if err != nil {
				return err
			}
			d, err := hub.Describe(cmd.Context(), cat, args[0])
			if err != nil {
				return err
			}
			if a.output == "json" {
				_, err := a.out.Write(append(d.ConfigSchema, '\n'))
				return err
			}
			a.printf("%s %s: %s\n\n", d.Type, d.Version, d.DisplayName)
			a.table([]any{"key", "type", "", "what it is"}, configRows(d.ConfigSchema))
			if len(d.Secrets) > 0 {
				a.printf("\n")
			}
			rows := make([][]any, len(d.Secrets))
			for i, s := range d.Secrets {
				need := ""
				if s.Required {
					need = "required"
				}
				rows[i] = []any{s.Name, need, s.Description}
			}
			a.table([]any{"secret", "", "what it is"}, rows)
			return nil
		},
	}
}
