package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// untilMax is how long a script waits for something to become so.
const untilMax = 90 * time.Second

// until runs a command again and again until its output matches: until PATTERN COMMAND…
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND…")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for end := time.Now().Add(untilMax); ; time.Sleep(100 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if pattern.MatchString(out) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("not so within %s (%v):\n%s", untilMax, err, out)
		}
	}
}

// fetch asks the first node of the last `provhub node list --output json` for a page:
// fetch PATH STATUS [PATTERN].
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fetch PATH STATUS [PATTERN]")
	}
	var nodes []struct{ Address string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &nodes))
	if len(nodes) == 0 {
		ts.Fatalf("no node serves")
	}
	resp, err := http.Get("http://" + nodes[0].Address + args[0])
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.Status[:3] != args[1] || len(args) > 2 && !regexp.MustCompile(args[2]).Match(body) {
		ts.Fatalf("%s: %s\n%s", args[0], resp.Status, body)
	}
}
