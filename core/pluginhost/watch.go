package pluginhost

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// end says why a process is not wanted any more.
type end struct {
	kind  endKind
	cause string        // in words
	grace time.Duration // of a stop
}

type endKind int

const (
	stopAsked endKind = iota
	resting           // not needed for a while
	outgrown          // uses too much memory
	died              // or has to be killed
)

// vitals are a plugin's answers to questions after its health.
type vitals struct {
	at               time.Time
	heap, goroutines int64
}

// watch returns when the process should end, and why. But for a stop, the
// instance has no process for new calls from then on.
func (in *Instance) watch(l *live) end {
	ask := time.NewTicker(in.cfg.Times.Health)
	defer ask.Stop()
	misses := 0
	for {
		select {
		case grace := <-in.stop:
			return end{kind: stopAsked, grace: grace}
		case <-l.proc.run.exited:
			in.enter(StateBackoff, in.unlive)
			return end{kind: died, cause: "the process ended"}
		case <-l.stream.ended:
			in.enter(StateBackoff, in.unlive)
			return end{kind: died, cause: in.streamEnd(l)}
		case what := <-l.stream.stuck:
			return in.hangs(l, what)
		case <-ask.C:
			if in.ask(l) {
				misses = 0
			} else if misses++; misses >= in.cfg.Times.HealthMisses {
				return in.hangs(l, "does not answer")
			}
			if e, over := in.measure(l); over {
				return e
			}
		}
	}
}

// hangs lets a plugin that has to be killed say what it is doing.
func (in *Instance) hangs(l *live, what string) end {
	in.enter(StateBackoff, in.unlive)
	l.proc.dump()
	return end{kind: died, cause: "the plugin " + what}
}

// streamEnd tells a process that died, which ends its stream first, from one
// that only ended the stream.
func (in *Instance) streamEnd(l *live) string {
	l.proc.await(killGrace / 4)
	if l.proc.run.exitStatus() != "" {
		return "the process ended"
	}
	return "the stream broke: " + in.redact.Text(l.stream.why().Error())
}

func (s *stream) why() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// ask asks the plugin after its health and reports whether it answered in time.
func (in *Instance) ask(l *live) bool {
	ctx, cancel := context.WithTimeout(in.base, in.cfg.Times.HealthDeadline)
	defer cancel()
	r, err := l.proc.rpc.Health(ctx, &pluginv1.HealthRequest{})
	if err != nil {
		return in.base.Err() != nil // a stop was asked for: no miss
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.seen = vitals{at: time.Now(), heap: r.GetHeapBytes(), goroutines: r.GetGoroutines()}
	return true
}

// measure reports whether the process is too large or not needed.
func (in *Instance) measure(l *live) (e end, over bool) {
	resident := residentBytes(l.proc.run.pid())
	cause := fmt.Sprintf("it uses %d MiB of memory", resident>>20)
	switch {
	case resident > 2*in.cfg.MemoryMax:
		in.enter(StateBackoff, in.unlive)
		return end{kind: died, cause: cause}, true
	case resident > in.cfg.MemoryMax:
		in.enter(StateIdle, in.unlive)
		return end{kind: outgrown, cause: cause}, true
	}
	return end{kind: resting}, in.rest()
}

// residentBytes returns how much memory a process uses; 0 where /proc does not tell.
func residentBytes(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
