package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/provhub/provhub/core/hub"
)

// progress writes reports of long work to standard error. Work that is over at
// once is not worth a line.
type progress struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	now      func() time.Time
	began    map[string]time.Time
	last     time.Time
	drawn    bool
}

func newProgress(w io.Writer, terminal bool, now func() time.Time) *progress {
	return &progress{w: w, terminal: terminal, now: now, began: map[string]time.Time{}}
}

// report takes one report; a report with Done equal to Total ends its line.
func (p *progress) report(r hub.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if _, ok := p.began[r.What]; !ok {
		p.began[r.What] = now
	}
	every := 10 * time.Second
	if p.terminal {
		every = 100 * time.Millisecond
	}
	over := r.Total > 0 && r.Done >= r.Total
	if over {
		delete(p.began, r.What)
		if p.drawn {
			fmt.Fprint(p.w, "\r\x1b[K")
			p.drawn = false
		}
		return
	}
	if now.Sub(p.began[r.What]) < every || now.Sub(p.last) < every {
		return
	}
	p.last = now
	line := lineOf(r)
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K"+line)
		p.drawn = true
		return
	}
	fmt.Fprintln(p.w, line)
}

func lineOf(r hub.Progress) string {
	line := r.What + ": "
	switch {
	case r.Total > 0:
		line += fmt.Sprintf("%d of %d", r.Done, r.Total)
	case r.Done > 0 || r.Note == "":
		line += fmt.Sprint(r.Done)
	default:
		return line + r.Note
	}
	if r.Note != "" {
		line += ", " + r.Note
	}
	return line
}
