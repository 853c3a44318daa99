package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var processChecks = []Check{
	{ID: "A1", Title: "it says which type and version it is", Bare: true, Func: saysWhatItIs},
	{ID: "A2", Title: "started by hand it explains itself and exits", Process: true, Bare: true, Func: startedByHand},
	{ID: "A3", Title: "it prints the handshake to stdout and nothing else, ever", Process: true, Func: quietStdout},
	{ID: "A4", Title: "nobody without the hub's certificate gets an answer", Process: true, Bare: true, Func: closedToOthers},
	{ID: "A5", Title: "it picks a protocol version that was offered, or is seen not to", Process: true, Bare: true, Func: picksVersion},
	{ID: "A6", Title: "it starts without environment, files and stdin", Process: true, Bare: true, Func: cleanStart},
	{ID: "A7", Title: "fifty starts and stops leave nothing behind", Process: true, Bare: true, Func: startsAndStops, Limit: heavyLimit},
	{ID: "A8", Title: "it exits when the hub is gone", Process: true, Own: true, Bare: true, Func: leavesWithHub},
}

var (
	typeName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,31}$`)
	semver   = regexp.MustCompile(`^v?[0-9]+\.[0-9]+\.[0-9]+([-+].*)?$`)
)

func saysWhatItIs(ctx context.Context, e *Env) error {
	d, err := e.describe(ctx)
	switch {
	case err != nil:
		return err
	case !typeName.MatchString(d.GetType()):
		return fmt.Errorf("the type %q is not of the form %s", d.GetType(), typeName)
	case !semver.MatchString(d.GetVersion()):
		return fmt.Errorf("the version %q is no semantic version", d.GetVersion())
	case d.GetDisplayName() == "":
		return errors.New("it has no name for people (display name)")
	case e.Target.Definition != nil && (d.GetType() != e.Target.Definition.Type || d.GetVersion() != e.Target.Definition.Version):
		return fmt.Errorf("it says %s %s, and the definition is %s %s: the binary is of another build", d.GetType(), d.GetVersion(), e.Target.Definition.Type, e.Target.Definition.Version)
	}
	return nil
}

func startedByHand(ctx context.Context, e *Env) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dir, err := os.MkdirTemp("", "conformance") // what it leaves there is gone afterwards
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var out, log bytes.Buffer
	cmd := exec.CommandContext(ctx, e.Target.Binary)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, []string{"PATH=" + os.Getenv("PATH")}, &out, &log
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("it did not exit within %v", patience)
	case err == nil:
		return errors.New("it exits with 0, as if it had done something")
	case len(bytes.TrimSpace(log.Bytes())) == 0:
		return errors.New("it does not say on stderr what it is for")
	}
	return nil
}

func quietStdout(ctx context.Context, e *Env) error {
	if types, err := e.types(); err == nil {
		for _, t := range types {
			if e.can(t.Name, "create") {
				if _, _, err := e.create(ctx, t, true); err != nil {
					return err
				}
			}
		}
	}
	if e.firstBadStep(ctx) != nil {
		return errors.New("Check fails on a good target")
	}
	l, ok := e.run.(*launched)
	if !ok {
		return skip("there is no process")
	}
	time.Sleep(onItsWay)
	for line := range strings.Lines(l.printed.String()) {
		if strings.Contains(line, "printed_to=stdout") {
			return fmt.Errorf("it printed to stdout: %s", clip(strings.TrimSpace(line), 200))
		}
	}
	return nil
}

// startLimit is how long the fastest start of many may take.
const startLimit = time.Second

func startsAndStops(ctx context.Context, e *Env) error {
	n := max(8, int(50*e.Scale))
	before := openFiles(os.Getpid())
	fast := time.Hour
	// The fastest counts, and there are more of them on a machine that is too busy.
	for i, first := 0, time.Now(); i < n || fast > startLimit && time.Since(first) < patience; i++ {
		began := time.Now()
		r, err := e.host.start(ctx)
		if err != nil {
			return err
		}
		fast = min(fast, time.Since(began))
		l := r.(*launched)
		pid, dir := l.pid(), l.p.Dir()
		r.stop()
		if exists(pid) {
			return fmt.Errorf("process %d is still there after a stop", pid)
		}
		if _, err := os.Stat(dir); err == nil {
			return fmt.Errorf("the folder of its socket is still there after a stop: %s", dir)
		}
	}
	left := 0
	for began := time.Now(); time.Since(began) < patience; time.Sleep(100 * time.Millisecond) { // the hub reads the pipes of a dead process for a while
		if left = openFiles(os.Getpid()) - before; left <= 2 {
			break
		}
	}
	if left > 2 {
		return fmt.Errorf("%d starts and stops leave %d descriptors open in the hub", n, left)
	}
	if fast > startLimit {
		return fmt.Errorf("a start takes %v or more, want less than %v", fast.Round(time.Millisecond), startLimit)
	}
	return nil
}

func leavesWithHub(_ context.Context, e *Env) error {
	l, ok := e.run.(*launched)
	if !ok {
		return skip("there is no process")
	}
	l.p.LetGo()
	select {
	case <-l.p.Exited():
		return nil
	case <-time.After(patience):
		return fmt.Errorf("it still runs %v after the hub is gone", patience)
	}
}

// procPath is where the system tells about a process.
func procPath(pid int, what string) string { return filepath.Join("/proc", strconv.Itoa(pid), what) }

// openFiles counts the descriptors of a process; -1 when it cannot be told.
func openFiles(pid int) int {
	entries, err := os.ReadDir(procPath(pid, "fd"))
	if err != nil {
		return -1
	}
	return len(entries)
}
