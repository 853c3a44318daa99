package main

import (
	"fmt"
	"os"
	"strings"
)

// The variables with the env files that scripts/testenv/up wrote.
const (
	durableServers = "PROVHUB_BENCH_DURABLE"
	fastServers    = "PROVHUB_BENCH_FAST"
)

// setUp reads an env file: values by their names without PROVHUB_TEST_. It is an
// error when one of the given names has none.
func setUp(variable string, names ...string) (map[string]string, error) {
	path := os.Getenv(variable)
	if path == "" {
		return nil, fmt.Errorf("needs %s: run scripts/bench, which starts the servers", variable)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export PROVHUB_TEST_"), "="); ok {
			out[name] = strings.Trim(value, "'")
		}
	}
	for _, n := range names {
		if out[n] == "" {
			return nil, fmt.Errorf("%s has no PROVHUB_TEST_%s: the server is not started there", path, n)
		}
	}
	return out, nil
}
