// Package tracing brings spans to a collector that speaks OTLP.
//
//	span.Span ─► Record ─► queue ─► batches ─► collector
//	             (never waits: what finds no room is dropped, and counted)
//
// Work goes on whatever becomes of its traces. That a collector takes none is said once,
// and once more when it takes them again, with how many were dropped meanwhile.
package tracing

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/core/config"
)

const (
	queueMax = 8192
	batchMax = 512
	// batchAfter is how long a batch waits to become full.
	batchAfter = time.Second
	// uploadWithin bounds one batch, however often it is tried.
	uploadWithin = 20 * time.Second
	// closeWithin is how long the end of the process waits for the last spans.
	closeWithin = 2 * time.Second
)

// Exporter is a [span.Recorder] that brings spans to a collector.
type Exporter struct {
	about   About
	client  otlptrace.Client
	log     *slog.Logger
	queue   chan *span.Data
	dropped atomic.Int64

	// The loop's: how many were dropped when it last looked, and when all went well.
	seen, well int64
	troubled   bool

	ctx   context.Context // of uploads
	stop  context.CancelFunc
	once  sync.Once
	begun chan struct{} // something was recorded
	end   chan struct{} // nothing more is
	ended chan struct{}
}

// Open returns an exporter as the config and the environment say, nil when they want
// none. It calls nobody before there is a span. The error names the setting at fault.
func Open(c config.Tracing, headers map[string]connector.Secret, a About, log *slog.Logger) (*Exporter, error) {
	if !wanted(c) {
		return nil, nil
	}
	client, err := newClient(c, headers)
	if err != nil {
		return nil, err
	}
	return newExporter(client, a, log), nil
}

func newExporter(client otlptrace.Client, a About, log *slog.Logger) *Exporter {
	e := &Exporter{about: a, client: client, log: log, queue: make(chan *span.Data, queueMax),
		begun: make(chan struct{}), end: make(chan struct{}), ended: make(chan struct{})}
	e.ctx, e.stop = context.WithCancel(context.Background())
	go e.run()
	return e
}

// Record implements [span.Recorder].
func (e *Exporter) Record(d *span.Data) {
	e.once.Do(func() { close(e.begun) })
	select {
	case e.queue <- d:
	default:
		e.dropped.Add(1)
	}
}

// Close brings what is left to the collector, for two seconds at most. What is recorded
// afterwards is dropped.
func (e *Exporter) Close() {
	late := time.AfterFunc(closeWithin, e.stop)
	defer late.Stop()
	close(e.end)
	<-e.ended
	e.stop()
}

// run uploads until the end.
func (e *Exporter) run() {
	defer close(e.ended)
	select {
	case <-e.begun:
	case <-e.end:
		if len(e.queue) == 0 {
			return
		}
	}
	if err := e.client.Start(e.ctx); err != nil {
		e.judge(0, err)
	}
	for more := true; more; {
		var batch []*span.Data
		batch, more = e.gather()
		e.upload(batch)
	}
	e.dropped.Add(int64(len(e.queue)))
	e.lastWords()
	stop, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), closeWithin/4)
	defer cancel()
	_ = e.client.Stop(stop) // there is nothing left to do about it
}

// gather waits for a batch that is full, or old enough; more is false for the last one.
func (e *Exporter) gather() (batch []*span.Data, more bool) {
	var old <-chan time.Time
	for len(batch) < batchMax {
		select {
		case d := <-e.queue:
			batch = append(batch, d)
			if old == nil {
				old = time.After(batchAfter)
			}
		case <-old:
			return batch, true
		case <-e.end:
			for len(batch) < batchMax {
				select {
				case d := <-e.queue:
					batch = append(batch, d)
				default:
					return batch, false
				}
			}
		}
	}
	return batch, e.ctx.Err() == nil
}

func (e *Exporter) upload(batch []*span.Data) {
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(e.ctx, uploadWithin)
	defer cancel()
	e.judge(len(batch), e.client.UploadTraces(ctx, toProto(e.about, batch)))
}

// judge says it when spans begin to be dropped, and when they are not any more.
func (e *Exporter) judge(spans int, err error) {
	if err != nil {
		e.dropped.Add(int64(spans))
	}
	all := e.dropped.Load()
	lost := all > e.seen || err != nil
	e.seen = all
	switch {
	case lost && !e.troubled && err != nil:
		e.log.Warn("traces are not taken by the collector; they are dropped until it takes them, and work goes on", "error", clip(err.Error()))
	case lost && !e.troubled:
		e.log.Warn("there are more traces than the collector takes; some are dropped, and work goes on", "hint", "lower tracing.sample")
	case !lost && e.troubled:
		e.log.Info("all traces are taken by the collector again", "dropped", all-e.well)
	}
	if e.troubled = lost; !lost {
		e.well = all
	}
}

// lastWords says how many spans were dropped of which nothing was said yet.
func (e *Exporter) lastWords() {
	if n := e.dropped.Load() - e.well; n > 0 {
		e.log.Warn("traces were dropped", "dropped", n)
	}
}

// clip bounds what a collector's answer adds to the log.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
