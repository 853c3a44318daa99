package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/provhub/provhub/core/tracing/tracingtest"
)

// collectorOf returns what scripts call collector: from then on, the traces of their
// commands are taken. And what they call spans:
//
//	spans PATH…      wait until there are such spans: "sync > apply > operation"
//	! spans TEXT…    no span that was taken holds such a text
//
// A path ends with the plugin, where the span is a plugin's.
func collectorOf(t *testing.T) (collector, spans func(*testscript.TestScript, bool, []string)) {
	c, _ := tracingtest.OverHTTP(t, false)
	collector = func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 0 {
			ts.Fatalf("usage: collector")
		}
		ts.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	}
	spans = func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			all := fmt.Sprintf("%+v", c.Spans())
			for _, text := range args {
				if strings.Contains(all, text) {
					ts.Fatalf("spans hold %q", text)
				}
			}
			return
		}
		awaitSpans(ts, c, args)
	}
	return collector, spans
}

func awaitSpans(ts *testscript.TestScript, c *tracingtest.Collector, want []string) {
	for end := time.Now().Add(untilMax); ; time.Sleep(100 * time.Millisecond) {
		paths := pathsOf(c.Spans())
		missing := slices.DeleteFunc(slices.Clone(want), func(path string) bool { return paths[path] })
		if len(missing) == 0 {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("no such spans: %q; there are:\n%s", missing, strings.Join(slices.Sorted(maps.Keys(paths)), "\n"))
		}
	}
}

// pathsOf names each span by those above it.
func pathsOf(all []tracingtest.Span) map[string]bool {
	byID := map[string]tracingtest.Span{}
	for _, s := range all {
		byID[s.ID] = s
	}
	paths := map[string]bool{}
	for _, s := range all {
		path := s.Name
		for p, ok := byID[s.Parent]; ok; p, ok = byID[p.Parent] {
			path = p.Name + " > " + path
		}
		if plugin, ok := strings.CutPrefix(s.Service, "provhub-connector-"); ok {
			path += " (" + plugin + ")"
		}
		paths[path] = true
	}
	return paths
}
