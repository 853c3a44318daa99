package dispatch

import (
	"context"
	"time"

	"github.com/provhub/provhub/core/store"
)

const (
	// troubleFirst and troubleMax bound how long a queue that cannot be read or written
	// is left alone before it is tried again.
	troubleFirst = 200 * time.Millisecond
	troubleMax   = 10 * time.Second
	// endingMax is how long it is tried after nothing more is to be begun.
	endingMax = 10 * time.Second
	// lastWordsMax is how long a drain that ends in an error tries to record what it knows.
	lastWordsMax = 2 * time.Second
)

// outlast waits after an error of the queue. What is under way goes on meanwhile,
// and nothing is begun. more is false when the time to give up has come.
func (l *loop) outlast(ctx context.Context, err error) (more bool) {
	o := l.d.opts
	if ctx.Err() != nil {
		return true // the round sees it
	}
	if l.troubled++; l.troubled == 1 {
		l.sinceBad = o.Now()
		o.Log.Error("the queue cannot be read or written; nothing is begun until it can", "error", err)
	}
	o.Trouble(err)
	stop := l.ending
	if closed(stop) {
		if o.Now().Sub(l.sinceBad) > endingMax {
			return false
		}
		stop = nil
	}
	pause(ctx, stop, wait(troubleFirst, troubleMax, l.troubled, o.Random, troubleFirst), nil)
	return true
}

// recovered ends the trouble.
func (l *loop) recovered() {
	if l.troubled == 0 {
		return
	}
	l.troubled = 0
	l.d.opts.Log.Info("the queue can be read and written again", "after", l.d.opts.Now().Sub(l.sinceBad).Round(time.Millisecond))
	l.d.opts.Trouble(nil)
}

// bringBack gives back what may have been taken without our knowing of it.
func (l *loop) bringBack(ctx context.Context) error {
	if len(l.astray) == 0 {
		return nil
	}
	keep := make([]string, 0, len(l.flying)+len(l.taken)+len(l.pending))
	for id := range l.flying {
		keep = append(keep, id)
	}
	for _, w := range l.taken {
		keep = append(keep, w.ID)
	}
	for _, f := range l.pending {
		keep = append(keep, f.ID)
	}
	o := l.d.opts
	for len(l.astray) > 0 {
		if _, err := o.Queue.GiveBack(ctx, o.Connector, o.Owner, l.astray[0], keep, o.Now()); err != nil {
			return err
		}
		l.astray = l.astray[1:]
	}
	return nil
}

// lastWords waits for what is under way and records what can be recorded, at the end
// of a drain that could not go on. What cannot be is found out by whoever recovers.
func (l *loop) lastWords(ctx context.Context) {
	for len(l.flying) > 0 {
		l.land(<-l.ended)
	}
	l.giveBack()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWordsMax)
	defer cancel()
	if err := l.flush(ctx); err != nil {
		l.d.opts.Log.Warn("outcomes were not recorded; they are looked up by the next worker", "operations", ids(l.pending), "error", err)
	}
}

func ids(fs []store.Finish) []string {
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = f.ID
	}
	return out
}

// pause waits for d, for wake or ending (nil: never), or for the end of ctx.
func pause(ctx context.Context, ending <-chan struct{}, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ending:
	case <-ctx.Done():
	}
}
