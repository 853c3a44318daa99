// Command benchmark measures provhub against references that do the same work
// without it, on data it makes itself, and prints one table. scripts/bench sets
// up what it needs:
//
//	PROVHUB_BENCH_BIN       folder of provhub and its plugins
//	PROVHUB_BENCH_DURABLE   env file of test servers that keep what they answered
//	PROVHUB_BENCH_FAST      the same of servers that do not wait for their disk
//
// Command benchmark soak loads nodes for an hour instead; scripts/soak sets it up.
//
// Each measurement runs several times, ours and the reference in turns, and the
// median counts: the machine may have other work to do.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
)

// sections are the parts that --only chooses from, in the order they run.
// Whatever tells the memory of a process comes first: see [run].
var sections = []struct {
	name string
	run  func(context.Context, *bench) error
}{
	{"nochange", noChange},
	{"wide", wide},
	{"operations", operations},
	{"start", start},
	{"sources", sources},
	{"sftp", files},
	{"ldap", directories},
	{"scim", services},
	{"ldap-members", directoryMembers},
	{"scim-members", serviceMembers},
	{"commits", commits},
	{"queue", queue},
	{"leaver", leaver},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do, args := mainE, os.Args[1:]
	if len(args) > 0 && args[0] == "soak" {
		do, args = soakMain, args[1:]
	}
	if err := do(ctx, args); err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

func mainE(ctx context.Context, args []string) error {
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	f := pflag.NewFlagSet("benchmark", pflag.ContinueOnError)
	only := f.StringSlice("only", nil, "only these parts, of "+strings.Join(names, ", "))
	quick := f.Bool("quick", false, "small sizes and few rounds: shows that everything runs; goals that are for full sizes are not judged")
	rounds := f.Int("rounds", 0, "how often what is measured several times is measured; 0: as often as the size says")
	keep := f.String("keep", "", "work in this folder and leave everything there, such as for a profile")
	profile := f.String("cpuprofile", "", "write a profile of what is measured in this process (wide, commits) to this file")
	output := f.StringP("output", "o", "table", "how to print: table or json")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return nil
		}
		return err
	}
	for _, o := range *only {
		if !slices.Contains(names, o) {
			return fmt.Errorf("--only: there is no part %q; there are %s", o, strings.Join(names, ", "))
		}
	}
	if *output != "table" && *output != "json" {
		return fmt.Errorf("--output is %q; expected table or json", *output)
	}
	b, err := newBench(*quick, *keep)
	if err != nil {
		return err
	}
	defer b.close()
	if *rounds > 0 {
		b.sizes.rounds = *rounds
	}
	if *profile != "" {
		stop, err := startProfile(*profile)
		if err != nil {
			return err
		}
		defer stop()
	}
	err = b.measure(ctx, *only)
	// What was measured before something went wrong is printed all the same.
	return errors.Join(err, b.print(context.WithoutCancel(ctx), os.Stdout, *output))
}

// measure runs the sections that only names; nil: all.
func (b *bench) measure(ctx context.Context, only []string) error {
	for _, s := range sections {
		if len(only) > 0 && !slices.Contains(only, s.name) {
			continue
		}
		if err := s.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// startProfile profiles this process until stop is called.
func startProfile(path string) (stop func(), err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // what is missing shows when it is read
	}, nil
}
