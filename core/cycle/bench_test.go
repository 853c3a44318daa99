package cycle

import (
	"bufio"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/source/csvfile"
)

var (
	people     = flag.Int("people", 20_000, "people in BenchmarkNoChange and BenchmarkOneChange")
	wide       = flag.Int("wide", 1_000, "people in BenchmarkWide")
	connectors = flag.Int("connectors", 20, "connectors in BenchmarkWide")
)

// export writes a file of n people; edit changes rows.
func export(t testing.TB, path string, n int, edit func(i int, name string) string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "id,name,mail,dept,status,start,end,manager")
	for i := range n {
		name := fmt.Sprintf("Person Number%d", i)
		if edit != nil {
			name = edit(i, name)
		}
		fmt.Fprintf(w, "%07d,%s,person.number%d@example.com,%s,A,2020-01-01,,%07d\n", i, name, i, []string{"sales", "hr", "it"}[i%3], i/10)
	}
	require.NoError(t, w.Flush())
	require.NoError(t, f.Close())
}

// onFile is a lab that reads an export.
func onFile(t testing.TB, n int) (*lab, string) {
	t.Helper()
	l := newLab(t)
	path := filepath.Join(t.TempDir(), "hr.csv")
	export(t, path, n, nil)
	c := csvfile.Config{Path: path, Anchor: "id"}
	for _, f := range l.file.Fields() {
		c.Columns = append(c.Columns, csvfile.Column{Name: f.Name, Type: string(f.Type)})
	}
	r, err := csvfile.New(c)
	require.NoError(t, err)
	l.cycle.Reader = r
	l.now = time.Now()
	return l, path
}

// onlyRead has nobody in scope, so that getting ready takes no accounts.
func (l *lab) onlyRead() {
	l.connector("crm", plan.Policy{}, mapping.Rules{Scope: mapping.Rule{Expr: `person.dept == "none"`, Place: "provhub.yaml:3"}})
}

// rename gives one person another name and the file another date.
func rename(t testing.TB, path string, n, who, round int) {
	export(t, path, n, func(i int, name string) string {
		if i == who {
			return fmt.Sprintf("Renamed %d", round)
		}
		return name
	})
}

// hashAlone is the yardstick: reading and hashing the file, and nothing else.
func hashAlone(t testing.TB, path string) time.Duration {
	began := time.Now()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	h := sha256.New()
	_, err = io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, make([]byte, 1<<20))
	require.NoError(t, err)
	return time.Since(began)
}

// BenchmarkNoChange is a cycle over a source that is the same as the last time.
// The budget is five times reading and hashing the file.
func BenchmarkNoChange(b *testing.B) {
	l, path := onFile(b, *people)
	l.onlyRead()
	l.sync()
	alone := min(hashAlone(b, path), hashAlone(b, path), hashAlone(b, path))
	l.sync()
	b.ResetTimer()
	for b.Loop() {
		if p := l.run(); len(p.Operations) > 0 || !l.report.Unchanged {
			b.Fatal("something changed")
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(alone), "×hash")
	b.ReportMetric(float64(alone)/1e6, "ms-hash")
}

// BenchmarkOneChange is a cycle over a source in which one of many changed: it is
// read and compared record by record.
func BenchmarkOneChange(b *testing.B) {
	l, path := onFile(b, *people)
	l.onlyRead()
	l.sync()
	alone := min(hashAlone(b, path), hashAlone(b, path), hashAlone(b, path))
	var peak uint64
	round := 0
	for b.Loop() {
		b.StopTimer()
		round++
		rename(b, path, *people, 5, round)
		runtime.GC()
		b.StartTimer()
		p := l.run()
		b.StopTimer()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.Sys)
		if l.report.Changed != 1 {
			b.Fatalf("%d changed", l.report.Changed)
		}
		l.apply(p)
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(alone), "×hash")
	b.ReportMetric(float64(peak)/1e6, "MB-sys")
}

// BenchmarkFirst is the first cycle: everybody is new, and nobody has an account.
func BenchmarkFirst(b *testing.B) {
	debug.FreeOSMemory()
	for b.Loop() {
		b.StopTimer()
		l, _ := onFile(b, *people)
		b.StartTimer()
		if p := l.run(); len(p.Operations) != *people {
			b.Fatal(len(p.Operations))
		}
	}
	b.ReportMetric(float64(*people)*float64(b.N)/b.Elapsed().Seconds(), "people/s")
}

// BenchmarkWide is a cycle over many connectors in which one person in a hundred
// changed.
func BenchmarkWide(b *testing.B) {
	l, path := onFile(b, *wide)
	l.cycle.Connectors = nil
	for i := range *connectors {
		l.connector(fmt.Sprintf("app%03d", i), plan.Policy{RevokeOnLeave: true}, mapping.Rules{})
	}
	l.sync()
	round := 0
	for b.Loop() {
		b.StopTimer()
		round++
		export(b, path, *wide, func(i int, name string) string {
			if i%100 == 7 {
				return fmt.Sprintf("Renamed %d in round %d", i, round)
			}
			return name
		})
		b.StartTimer()
		p := l.run()
		b.StopTimer()
		if len(p.Operations) < *wide/100**connectors {
			b.Fatal(len(p.Operations), l.report)
		}
		b.ReportMetric(float64(len(p.Operations)), "operations")
		b.StartTimer()
	}
}

// The index's own memory, as a cycle over a real store uses it.
func TestNoChangeHoldsNobodyInMemory(t *testing.T) {
	l, path := onFile(t, 5_000)
	l.sync()
	rename(t, path, 5_000, 1, 1)
	l.now = time.Now()
	x := newIndex(5_000)
	before := heap()
	require.NoError(t, l.store.Index(t.Context(), "hr", func(k identity.Kind, anchor []byte, h identity.Hash) error {
		hash, m := x.findBytes(k, anchor)
		*hash, *m = h, *m|markStored
		return nil
	}))
	require.Equal(t, 5_000, x.count(markStored, 0))
	require.Less(t, heap()-before, int64(200_000), "loading the index allocates nothing that stays")
}

// BenchmarkFirstReading reads everybody for the first time, for no connector: what the
// reading costs, its profile included.
func BenchmarkFirstReading(b *testing.B) {
	debug.FreeOSMemory()
	for b.Loop() {
		b.StopTimer()
		l, _ := onFile(b, *people)
		l.cycle.Connectors = nil
		b.StartTimer()
		l.run()
		if l.report.New != *people {
			b.Fatal(l.report.New)
		}
	}
	b.ReportMetric(float64(*people)*float64(b.N)/b.Elapsed().Seconds(), "people/s")
}
