package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/provhub/provhub/wording"
)

// Health says whether a node takes requests, and whether it does all of its work. It is
// shown to whoever asks: it names neither targets nor people, and repeats no error.
type Health struct {
	Node string `json:"node"`
	// Ready: requests may be sent to it. All required checks are OK.
	Ready bool `json:"ready"`
	// Checks are what it depends on.
	Checks []HealthCheck `json:"checks"`
}

// HealthCheck is one thing that a node depends on.
type HealthCheck struct {
	Name string `json:"name"` // "running", "state", "writes", "role", "jobs", "connectors"
	OK   bool   `json:"ok"`
	// Required: without it, pages and pushes are better sent to another node.
	Required bool   `json:"required"`
	Reason   string `json:"reason,omitempty"` // why not
}

// stateWithin is how long the database may take to answer.
const stateWithin = 3 * time.Second

// Health looks how this node does. A target that is down, or a connector that a person
// has paused, is no fault of the node; and a plugin that does not start is no reason
// to take the pages away, on which people see that it does not.
func (n *Node) Health(ctx context.Context) Health {
	h := Health{Node: n.Hub().Node(), Ready: true}
	add := func(name string, required, ok bool, reason string) {
		if ok {
			reason = ""
		}
		h.Checks = append(h.Checks, HealthCheck{Name: name, OK: ok, Required: required, Reason: reason})
		h.Ready = h.Ready && (ok || !required)
	}
	running := n.running.Load()
	add("running", true, running != nil && (*running).Err() == nil, "this node stops")
	add("state", true, n.stateAnswers(ctx), "the database does not answer")
	// A node that only reads shows people why; another one has the same disk or database.
	add("writes", false, n.State().Unwritable() == "", "not everything can be written to the database, as on a full disk; the log says why")
	t := n.term.Load()
	add("role", true, n.Serving(), "this node has no serving role now: it sends nothing, and takes no pushes")
	if t == nil {
		return h
	}
	t.mu.Lock()
	runs := t.runner != nil
	t.mu.Unlock()
	add("jobs", false, runs, "runs cannot be scheduled; the log says why")
	silent := 0
	for _, s := range t.senders.list() {
		if s.trouble() != nil {
			silent++
		}
	}
	add("connectors", false, silent == 0, fmt.Sprintf("nothing can be sent to %s; the log and `provhub connector check` say why", wording.Count(silent, "connector", "connectors")))
	return h
}

func (n *Node) stateAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, stateWithin)
	defer cancel()
	_, err := n.State().Generation(ctx)
	return err == nil
}

// Serving reports whether this node has the serving role and does not stop.
func (n *Node) Serving() bool {
	t := n.term.Load()
	return t != nil && t.ctx.Err() == nil
}

// healthz says that the process answers. Starting it anew would mend nothing that a
// check of readyz finds.
func (n *Node) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}

func (n *Node) readyz(w http.ResponseWriter, r *http.Request) {
	h := n.Health(r.Context())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !h.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(h) // who hung up does not read it
}
