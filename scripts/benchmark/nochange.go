package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// noChange measures a cycle in which nothing is new: the same file again, and
// the same people in another order, where every record is really compared.
func noChange(ctx context.Context, b *bench) error {
	peaks := map[int]int64{}
	for _, n := range b.sizes.people {
		s, err := b.newSQLiteSite(ctx, setting{Scope: `person.department == "Board"`})
		if err != nil {
			return err
		}
		if peaks[n], err = b.noChangeOf(ctx, s, n); err != nil {
			return err
		}
		s.remove()
	}
	few, many := b.sizes.people[0], b.sizes.people[len(b.sizes.people)-1]
	each := value{float64(peaks[many]-peaks[few]) / float64(many-few), bytesEach}
	l := line{Section: "nochange", What: fmt.Sprintf("memory of an identity when all are compared (%s against %s)", digits(float64(many)), digits(float64(few))), Ours: &each}
	if !b.quick {
		l.Goal = below(value{100, bytesEach})
	}
	b.add(l, each.N)
	return nil
}

// noChangeOf adds the lines for n people and returns the peak of memory when all
// of them are compared.
func (b *bench) noChangeOf(ctx context.Context, s *site, n int) (peak int64, err error) {
	who := digits(float64(n)) + " people"
	b.progress("no-change cycle, %s: first load", who)
	if err := s.source(people{n: n}); err != nil {
		return 0, err
	}
	u, _, err := s.provhub(ctx, "sync")
	if err != nil {
		return 0, err
	}
	b.add(line{Section: "nochange", What: who + ": first sync, 1 in 100 gets an account", Ours: rate(n, u.wall), CPU: inSeconds(u.cpu)}, 0)
	b.add(line{Section: "nochange", What: who + ": first sync, peak of memory", Ours: &value{float64(u.peak) / (1 << 20), mebibytes}}, 0)
	again, err := b.inTurns(ctx, s, who+", the same file again", func(int) error { return nil })
	if err != nil {
		return 0, err
	}
	mixed, err := b.inTurns(ctx, s, who+", rows in another order", func(round int) error {
		return s.source(people{n: n, mixed: round%2 == 0})
	})
	if err != nil {
		return 0, err
	}
	for _, l := range []struct {
		what string
		turns
	}{{"the same file again", again}, {"rows in another order, all compared", mixed}} {
		b.add(line{Section: "nochange", What: who + ": plan, " + l.what + ", peak of memory", Ours: &value{float64(l.peak) / (1 << 20), mebibytes}}, 0)
		t := line{Section: "nochange", What: who + ": plan, " + l.what + " (reference: read, parse, SHA-256)",
			Ours: inSeconds(l.ours), CPU: inSeconds(l.cpu), Reference: inSeconds(l.reference), Ratio: l.ours.Seconds() / l.reference.Seconds()}
		if n >= 1_000_000 {
			t.Goal = atMost(5)
		}
		b.add(t, t.Ratio)
	}
	return mixed.peak, nil
}

// turns are the medians of several rounds.
type turns struct {
	ours, cpu, reference time.Duration
	peak                 int64
}

// inTurns plans, and does the reference, in turns.
func (b *bench) inTurns(ctx context.Context, s *site, what string, prepare func(round int) error) (turns, error) {
	var ours, cpu, reference []time.Duration
	var peaks []int64
	for round := range b.sizes.rounds {
		b.progress("no-change cycle, %s: round %d of %d", what, round+1, b.sizes.rounds)
		if err := prepare(round); err != nil {
			return turns{}, err
		}
		alone, err := readAlone(s.path("hr.csv"))
		if err != nil {
			return turns{}, err
		}
		u, _, err := s.provhub(ctx, "plan")
		if err != nil {
			return turns{}, err
		}
		if own := ownPeak(); u.peak <= own {
			return turns{}, fmt.Errorf("the memory of provhub cannot be told: it was below the %d MiB of the benchmark itself", own>>20)
		}
		ours, cpu = append(ours, u.wall), append(cpu, u.cpu)
		reference, peaks = append(reference, alone), append(peaks, u.peak)
	}
	return turns{median(ours), median(cpu), median(reference), median(peaks)}, nil
}

// readAlone is the reference: it reads the file once for its hash and its cells.
func readAlone(path string) (time.Duration, error) {
	began := time.Now()
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	h := sha256.New()
	r := csv.NewReader(io.TeeReader(f, h))
	r.ReuseRecord = true
	for {
		if _, err := r.Read(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return 0, err
		}
	}
	_ = h.Sum(nil)
	return time.Since(began), nil
}
