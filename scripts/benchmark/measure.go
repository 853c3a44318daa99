package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// usage is what a process took.
type usage struct {
	wall time.Duration
	// cpu is the processors' time, that of plugins and other processes it ended
	// included.
	cpu time.Duration
	// peak is the most memory that was resident, in bytes.
	peak int64
	// peaks is the same for the program and each of its children, by name, as far
	// as the system tells.
	peaks map[string]int64
}

// run runs a program to its end, which must be exit code 0, and says what it took.
//
// The system counts for a new process the memory of the one that made it, so a
// peak below our own cannot be told; it is an error.
func run(ctx context.Context, dir string, env []string, name string, args ...string) (usage, []byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(cmd.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	err := cmd.Start()
	u := usage{}
	if err == nil {
		peaks := watch(cmd.Process.Pid)
		err = cmd.Wait()
		u.wall = time.Since(began)
		u.peaks = peaks()
	}
	if err != nil {
		return u, nil, fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), args, err, tail(out.Bytes()), tail(errs.Bytes()))
	}
	r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return u, nil, errors.New("this system does not tell what a process used")
	}
	u.peak = r.Maxrss * 1024
	u.cpu = time.Duration(r.Utime.Nano() + r.Stime.Nano())
	return u, out.Bytes(), nil
}

// ownPeak is the most memory this process had.
func ownPeak() int64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return r.Maxrss * 1024
}

// tail is the end of what a program printed, for an error.
func tail(b []byte) []byte { return b[max(0, len(b)-2000):] }

// median of at least one value.
func median[T time.Duration | int64 | float64](vs []T) T {
	vs = slices.Sorted(slices.Values(vs))
	n := len(vs)
	return (vs[(n-1)/2] + vs[n/2]) / 2
}

// percentile of at least one value, p in percent: the smallest that p percent
// do not exceed.
func percentile(vs []time.Duration, p int) time.Duration {
	vs = slices.Sorted(slices.Values(vs))
	return vs[max(0, (len(vs)*p+99)/100-1)]
}
