package pluginhost

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// BenchmarkStart measures from nothing to the answer to Describe, with
// hashing, mutual TLS and the private folder; stopping is not counted.
func BenchmarkStart(b *testing.B) {
	cfg, _ := testConfig(b, "good", `{}`)
	require.NoError(b, cfg.check())
	book := newInstance(cfg).book
	for b.Loop() {
		p, err := launch(b.Context(), cfg.spec(book))
		require.NoError(b, err)
		_, err = p.describe(b.Context(), cfg.Times.Start)
		require.NoError(b, err)
		b.StopTimer()
		p.stop(killGrace)
		b.StartTimer()
	}
}

// BenchmarkStop measures a stop with nothing under way.
func BenchmarkStop(b *testing.B) {
	cfg, _ := testConfig(b, "good", `{}`)
	for b.Loop() {
		b.StopTimer()
		in, err := Start(b.Context(), cfg)
		require.NoError(b, err)
		b.StartTimer()
		require.NoError(b, in.Stop(b.Context(), killGrace))
	}
}

// BenchmarkApply measures creates of about one KiB with 16 attributes, through
// the process of connectors/memory and back.
func BenchmarkApply(b *testing.B) {
	for _, c := range []struct{ callers, ops, window int }{{1, 1, 0}, {16, 1, 0}, {64, 1, 0}, {256, 1, 1024}, {8, 100, 1024}} {
		b.Run(fmt.Sprintf("callers=%d/ops=%d", c.callers, c.ops), func(b *testing.B) {
			cfg := memoryConfig(b, `{}`)
			cfg.Window, cfg.Log = c.window, nopLog()
			in := startConfig(b, cfg)
			var next atomic.Int64
			b.SetParallelism(max(1, c.callers/runtime.GOMAXPROCS(0)))
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					ops := make([]connector.Operation, c.ops)
					for i := range ops {
						ops[i] = kibibyte(strconv.FormatInt(next.Add(1), 10))
					}
					for _, r := range in.Apply(context.Background(), ops) {
						if r.Outcome != connector.OutcomeApplied {
							b.Errorf("%s: %v", r.Outcome, r.Err)
						}
					}
				}
			})
			b.ReportMetric(float64(next.Load())/b.Elapsed().Seconds(), "ops/s")
		})
	}
}

func kibibyte(id string) connector.Operation {
	text := func(name string, n int) connector.Attribute {
		return connector.Attribute{Name: name, Values: connector.Values{strings.Repeat("v", n)}}
	}
	c := connector.Create{Call: connector.Call{ID: id, Key: id, Attempt: 1, OrderingKey: id}, Type: "user"}
	c.Attributes = connector.Attributes{
		{Name: "userName", Values: connector.Values{"user" + id}}, {Name: "externalId", Values: connector.Values{id}},
		text("displayName", 60), text("givenName", 30), text("familyName", 30), text("mail", 60), text("title", 60), text("department", 60),
		{Name: "employeeType", Values: connector.Values{"employee"}}, {Name: "vip", Values: connector.Values{true}}, {Name: "seat", Values: connector.Values{int64(7)}},
		{Name: "hireDate", Values: connector.Values{connector.Date("2026-03-31")}},
		{Name: "phone", Values: connector.Values{strings.Repeat("1", 90), strings.Repeat("2", 90), strings.Repeat("3", 90), strings.Repeat("4", 90)}},
	}
	return c
}
