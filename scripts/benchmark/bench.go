package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// bench is one run of the benchmark.
type bench struct {
	dir   string // everything it makes lies in here
	bin   string // folder of provhub and its plugins
	sizes sizes
	keep  bool // nothing of it is removed
	quick bool
	lines []line
	began time.Time
	made  int // databases so far, for their names
}

// sizes say how much is measured.
type sizes struct {
	people        []int // of the no-change cycles
	rounds        int   // of whatever is measured several times
	wideTargets   int
	widePeople    int
	operations    int
	starts        int
	commitsPeople int
	members       int   // of one group
	rows          int   // of one file
	entries       []int // of a directory as source
	queue         int   // operations in it
	load          int   // operations that a leaver overtakes
}

var (
	fullSizes = sizes{people: []int{10_000, 100_000, 1_000_000}, rounds: 3, wideTargets: 200, widePeople: 10_000, operations: 10_000, starts: 40, commitsPeople: 10_000,
		members: 100_000, rows: 1_000_000, entries: []int{10_000, 100_000}, queue: 1_000_000, load: 100_000}
	quickSizes = sizes{people: []int{1_000, 20_000}, rounds: 1, wideTargets: 10, widePeople: 1_000, operations: 500, starts: 5, commitsPeople: 500,
		members: 1_000, rows: 10_000, entries: []int{1_000, 5_000}, queue: 10_000, load: 15_000}
)

func newBench(quick bool, keep string) (*bench, error) {
	bin, err := filepath.Abs(cmp.Or(os.Getenv("PROVHUB_BENCH_BIN"), "bin"))
	if err != nil {
		return nil, err
	}
	for _, f := range []string{"provhub", "provhub-connector-sql", "provhub-connector-memory", "provhub-connector-ldap", "provhub-connector-scim", "provhub-connector-sftp"} {
		if _, err := os.Stat(filepath.Join(bin, f)); err != nil {
			return nil, fmt.Errorf("%w; run make build", err)
		}
	}
	b := &bench{dir: keep, keep: keep != "", bin: bin, quick: quick, sizes: fullSizes, began: time.Now()}
	if b.keep {
		err = os.MkdirAll(keep, 0o700)
	} else {
		b.dir, err = os.MkdirTemp("", "provhub-bench-")
	}
	if err != nil {
		return nil, err
	}
	if quick {
		b.sizes = quickSizes
	}
	return b, nil
}

func (b *bench) close() { b.remove(b.dir) }

// remove deletes what is not needed any more.
func (b *bench) remove(dir string) {
	if !b.keep {
		_ = os.RemoveAll(dir)
	}
}

// progress says on standard error what is being measured.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench %5.0fs: %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}
