package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

// sample is what a node has at one moment, by figure.
type sample struct {
	at     time.Time
	values [figures]float64
}

// The figures.
const (
	resident    = iota // MiB
	heap               // MiB
	goroutines         // number
	descriptors        // number
	threads            // number
	pluginRSS          // MiB
	wal                // MiB
	figures
)

// growth says how each figure is called and how much it may have grown at the end: more
// than both of these is a leak.
var growth = [figures]struct {
	name     string
	share    float64 // of what it was
	absolute float64
}{
	{"resident memory, MiB", 0.10, 16},
	{"heap in use, MiB", 0.15, 8},
	{"goroutines", 0.10, 10},
	{"open descriptors", 0.10, 5},
	{"threads", 0.10, 5},
	{"resident memory of the plugin, MiB", 0.10, 8},
	{"write-ahead log of SQLite, MiB", 0, 80},
}

// sample takes one.
func (s *soak) sample(ctx context.Context) error {
	text, err := s.node.get(ctx, "/metrics")
	if err != nil {
		return err
	}
	pid := s.node.cmd.Process.Pid
	s.work.operations = max(s.work.operations, sum(text, "provhub_operations_total{", `outcome="done"`))
	v := sample{at: time.Now()}
	v.values[resident] = statusMiB(pid, "VmRSS")
	v.values[heap] = metric(text, "go_memstats_heap_inuse_bytes") / (1 << 20)
	v.values[goroutines] = metric(text, "go_goroutines")
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return err
	}
	v.values[descriptors] = float64(len(open))
	v.values[threads], _ = strconv.ParseFloat(field(fmt.Sprintf("/proc/%d/status", pid), "Threads"), 64)
	for _, child := range childrenOf(pid) {
		v.values[pluginRSS] += statusMiB(child, "VmRSS")
	}
	if path, ok := strings.CutPrefix(s.site.State, "sqlite:"); ok {
		info, err := os.Stat(path + "-wal")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil {
			v.values[wal] = float64(info.Size()) / (1 << 20)
		}
	}
	s.samples = append(s.samples, v)
	return nil
}

// statusMiB is a figure of a process that the system gives in KiB; 0 when the process
// has ended.
func statusMiB(pid int, name string) float64 {
	var kib float64
	_, _ = fmt.Sscan(field(fmt.Sprintf("/proc/%d/status", pid), name), &kib)
	return kib / 1024
}

// metric is the value of a metric without labels; 0 when there is none.
func metric(text []byte, name string) float64 {
	for r := bufio.NewScanner(bytes.NewReader(text)); r.Scan(); {
		if value, ok := strings.CutPrefix(r.Text(), name+" "); ok {
			v, _ := strconv.ParseFloat(value, 64)
			return v
		}
	}
	return 0
}

// sum is that of the values of a metric whose labels have one in them.
func sum(text []byte, name, label string) (n float64) {
	for r := bufio.NewScanner(bytes.NewReader(text)); r.Scan(); {
		if labels, value, ok := strings.Cut(r.Text(), "} "); ok && strings.HasPrefix(labels, name) && strings.Contains(labels, label) {
			v, _ := strconv.ParseFloat(value, 64)
			n += v
		}
	}
	return n
}

// print writes how the figures went, and returns how many grow, or cannot be judged.
func (s *soak) print(w io.Writer) (grows int) {
	judged := s.samples[len(s.samples)/4:] // before, caches fill
	if len(judged) < 6 {
		fmt.Fprintf(w, "state in %s: %d samples are too few to judge\n", s.name, len(s.samples))
		return 1
	}
	span := judged[len(judged)-1].at.Sub(judged[0].at)
	fmt.Fprintf(w, "state in %s: %d versions of the source, %d pushes, %d pages, %.0f operations in %v; judged over the last %v, %d samples\n", s.name,
		s.work.readings.Load(), s.work.pushes.Load(), s.work.pages.Load(), s.work.operations, s.lasts, span.Round(time.Second), len(judged))
	if first := s.work.failures.Load(); first != nil {
		fmt.Fprintf(w, "%d requests failed, the first: %v\n", s.work.failed.Load(), *first)
	}
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"what", "first", "middle", "last", "an hour", "may grow", ""})
	for f, g := range growth {
		vs := make([]float64, len(judged))
		xs := make([]float64, len(judged))
		for i, x := range judged {
			vs[i], xs[i] = x.values[f], x.at.Sub(judged[0].at).Hours()
		}
		third := len(vs) / 3
		first, middle, last := median(vs[:third]), median(vs[third:2*third]), median(vs[2*third:])
		most := max(g.share*first, g.absolute)
		verdict := ""
		if last-first > most {
			verdict = "GROWS"
			grows++
		}
		t.AppendRow(table.Row{g.name, digits(first), digits(middle), digits(last), fmt.Sprintf("%+.1f", slope(xs, vs)), digits(most), verdict})
	}
	t.Render()
	return grows
}

// slope is the rise of vs by xs, by least squares.
func slope(xs, vs []float64) float64 {
	var mx, mv float64
	for i := range xs {
		mx += xs[i] / float64(len(xs))
		mv += vs[i] / float64(len(xs))
	}
	var up, down float64
	for i := range xs {
		up += (xs[i] - mx) * (vs[i] - mv)
		down += (xs[i] - mx) * (xs[i] - mx)
	}
	return up / down
}
