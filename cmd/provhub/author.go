package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/connectors/connectortest"
	"github.com/provhub/provhub/plugins/scaffold"
)

// The commands for authors of connectors. They need no config file.

func (a *app) pluginNew() *cobra.Command {
	var o scaffold.Options
	var kinds []string
	for _, k := range scaffold.Kinds() {
		kinds = append(kinds, fmt.Sprintf("%s (%s)", k.Kind, k.For))
	}
	c := &cobra.Command{
		Use: "new NAME", Short: "Write a plugin that passes its tests before a line is changed", Args: args(cobra.ExactArgs(1), "a name such as acme"),
		Long:    "Write a Go module with a connector that works, its tests and a README. Kinds: " + strings.Join(kinds, ", ") + ".",
		Example: "  provhub plugin new acme --kind http\n  cd provhub-connector-acme && go test ./...",
		RunE: func(_ *cobra.Command, args []string) error {
			o.Name = args[0]
			r, err := scaffold.Write(o)
			if err != nil {
				return usageError{err}
			}
			if done, err := a.json(r); done {
				return err
			}
			a.printf("Wrote %s:\n", r.Dir)
			for _, f := range r.Files {
				a.printf("  %s\n", f)
			}
			a.printf("\nNext: cd %s && go test ./...\n", r.Dir)
			return nil
		},
	}
	c.Flags().StringVar((*string)(&o.Kind), "kind", string(scaffold.HTTP), "what the target is")
	c.Flags().StringVar(&o.Dir, "dir", "", "folder to write to (default provhub-connector-NAME)")
	c.Flags().StringVar(&o.Module, "module", "", "path of the new Go module (default example.com/provhub-connector-NAME)")
	c.Flags().StringVar(&o.Version, "provhub", "", "version of provhub to build with (default: the newest)")
	c.Flags().StringVar(&o.Replace, "replace", "", "build with this checkout of provhub in place of a release")
	return c
}

func (a *app) pluginTest() *cobra.Command {
	var o connectortest.Options
	var kit, live, format string
	c := &cobra.Command{
		Use: "test FILE|FOLDER", Short: "Run the conformance suite against a plugin", Args: args(cobra.ExactArgs(1), "a plugin's file, or the folder it is built from"),
		Long: `Start the plugin as the hub does and hold it to everything that the hub relies on. What
the suite may know of the target is in testkit.yaml beside the plugin, or where --kit
says. A check that is left out is listed with its reason. Against a target that others
use, say --live and --prefix.

Exit codes: 0 all passed, 1 a check failed, 2 nothing could be tested.`,
		Example: "  provhub plugin test ./provhub-connector-acme\n  provhub plugin test . --only E1,G2 --format junit > report.xml\n  provhub plugin test . --live sandbox.yaml --prefix zz-",
		RunE: func(cmd *cobra.Command, args []string) error {
			if live != "" && kit != "" || (live != "") != (o.Prefix != "") {
				return usageError{errors.New("--live FILE goes with --prefix, and takes the place of --kit")}
			}
			target, clean, err := testTarget(cmd.Context(), args[0], cmp.Or(live, kit))
			defer clean()
			if err != nil {
				return usageError{err}
			}
			if format == "" {
				format = a.output
			}
			r, err := connectortest.Suite(cmd.Context(), target, o)
			if err != nil {
				return usageError{err}
			}
			if err := r.Write(a.out, format); err != nil {
				return usageError{err}
			}
			return orExit(nil, r.Failed())
		},
	}
	c.Flags().StringSliceVar(&o.Only, "only", nil, "only checks whose id begins so, such as E or G2")
	c.Flags().BoolVar(&o.Quick, "quick", false, "a tenth of the operations in the heavy checks")
	c.Flags().StringVar(&kit, "kit", "", "file that says what the suite may know of the target (default testkit.yaml beside the plugin)")
	c.Flags().StringVar(&live, "live", "", "like --kit, for a real target: nothing is made to fail, and what is made is removed; needs --prefix")
	c.Flags().StringVar(&o.Prefix, "prefix", "", "with --live: begins the names of all that is made, such as zz-; whatever is named so is deleted")
	c.Flags().StringVar(&format, "format", "", "table, json or junit (default: as --output)")
	return c
}

// testTarget finds the plugin, builds it when path is a folder, and reads its
// testkit.yaml when there is one.
func testTarget(ctx context.Context, path, kit string) (t connectortest.Target, clean func(), err error) {
	clean = func() {}
	info, err := os.Stat(path)
	if err != nil {
		return t, clean, err
	}
	dir, binary := filepath.Dir(path), path
	if info.IsDir() {
		dir = path
		if binary, clean, err = build(ctx, path); err != nil {
			return t, clean, err
		}
	}
	if kit == "" {
		if kit = filepath.Join(dir, "testkit.yaml"); !exists(kit) {
			kit = ""
		}
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return t, clean, err
	}
	t, endFakes, err := connectortest.LoadTarget(kit, binary)
	removeBuild := clean
	return t, func() { endFakes(); removeBuild() }, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// build builds the plugin in a folder into a temporary one, which clean removes.
func build(ctx context.Context, folder string) (binary string, clean func(), err error) {
	tmp, err := os.MkdirTemp("", "provhub-plugin-test-")
	if err != nil {
		return "", func() {}, err
	}
	clean = func() { _ = os.RemoveAll(tmp) }
	binary = filepath.Join(tmp, "plugin")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		text := strings.Split(strings.TrimSpace(string(out)), "\n")
		return "", clean, fmt.Errorf("%s does not build: %s", folder, strings.Join(slices.DeleteFunc(text, func(s string) bool { return s == "" }), "\n  "))
	}
	return binary, clean, nil
}
