package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// print writes the machine and the lines. A goal that was missed is no error.
func (b *bench) print(ctx context.Context, w io.Writer, format string) error {
	m := b.machine(ctx)
	if format == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Machine machine `json:"machine"`
			Lines   []line  `json:"lines"`
		}{m, b.lines})
	}
	fmt.Fprint(w, m)
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"what", "ours", "cpu", "reference", "time ours/ref", "goal", "met"})
	columns := []table.ColumnConfig{{Number: 1, WidthMax: 76, WidthMaxEnforcer: text.WrapSoft}}
	for n := 2; n <= 5; n++ {
		columns = append(columns, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	for i, l := range b.lines {
		if i > 0 && l.Section != b.lines[i-1].Section {
			t.AppendSeparator()
		}
		t.AppendRow(l.row())
	}
	t.Render()
	return nil
}

func (l line) row() table.Row {
	var ratio, goal, met string
	if l.Ratio > 0 {
		ratio = digits(l.Ratio)
	}
	if l.Goal != nil {
		goal, met = l.Goal.Text, "NOT MET"
		if *l.Met {
			met = "met"
		}
	}
	return table.Row{l.What, l.Ours.String(), l.CPU.String(), l.Reference.String(), ratio, goal, met}
}

// machine is what the figures were measured on.
type machine struct {
	When       time.Time `json:"when"`
	CPU        string    `json:"cpu"`
	CPUs       int       `json:"cpus"`
	MemoryGiB  int       `json:"memory_gib"`
	Load       string    `json:"load"`
	System     string    `json:"system"`
	Go         string    `json:"go"`
	Provhub    string    `json:"provhub"`
	PostgreSQL string    `json:"postgresql,omitempty"`
	Rounds     int       `json:"rounds"`
	TookS      int       `json:"took_s"`
}

// machine describes it as far as the system tells.
func (b *bench) machine(ctx context.Context) machine {
	m := machine{When: time.Now().UTC().Truncate(time.Second), CPUs: runtime.NumCPU(), Go: runtime.Version(),
		System: runtime.GOOS + "/" + runtime.GOARCH, Rounds: b.sizes.rounds, TookS: int(time.Since(b.began).Seconds())}
	m.CPU = field("/proc/cpuinfo", "model name")
	var kib int
	if _, err := fmt.Sscan(field("/proc/meminfo", "MemTotal"), &kib); err == nil {
		m.MemoryGiB = (kib + 1<<19) >> 20
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load = strings.Join(strings.Fields(string(load))[:3], " ")
	}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += " " + strings.TrimSpace(string(kernel))
	}
	if _, out, err := run(ctx, "", nil, b.bin+"/provhub", "--version"); err == nil {
		m.Provhub = strings.TrimPrefix(strings.TrimSpace(string(out)), "provhub version ")
	}
	if _, out, err := run(ctx, "", nil, "psql", "--version"); err == nil {
		m.PostgreSQL = strings.TrimPrefix(strings.TrimSpace(string(out)), "psql (PostgreSQL) ")
	}
	return m
}

// field returns the value of the first "name : value" in a file of /proc.
func field(path, name string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for l := range strings.Lines(string(data)) {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// String is the head of the table.
func (m machine) String() string {
	return fmt.Sprintf("%s, %d CPUs, %d GiB, %s, load %s (other work disturbs)\nprovhub %s, %s, PostgreSQL %s; median of %d rounds, measured in %d s, %s\n",
		m.CPU, m.CPUs, m.MemoryGiB, m.System, m.Load, m.Provhub, m.Go, m.PostgreSQL, m.Rounds, m.TookS, m.When.Format(time.RFC3339))
}
