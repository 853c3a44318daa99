// Command provhub keeps the accounts in many target apps in step with one source
// of truth. It parses flags, loads the config, calls the hub and prints.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the build.
var version = "dev"

func main() { os.Exit(start()) }

// start runs the program, and returns its exit code.
func start() int {
	// The first signal ends the work in an orderly way, the second one at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop()
	}()
	return run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, args []string, io streams) int {
	a := &app{streams: io}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(io.err, "provhub:", text)
	}
	return exitCode(err)
}
