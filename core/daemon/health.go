package daemon

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Health says whether a node does its work.
type Health struct {
	Node  string `json:"node"`
	Ready bool   `json:"ready"`
	// Checks are what it depends on.
	Checks []HealthCheck `json:"checks"`
}

// HealthCheck is one thing that a node depends on.
type HealthCheck struct {
	Name   string `json:"name"` // "state", "role", "jobs", "connector crm"
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"` // why not
}

// stateWithin is how long the database may take to answer.
const stateWithin = 3 * time.Second

// Health looks whether this node does its work. A target that is down, or a connector
// that a person has paused, is no fault of the node.
func (n *Node) Health(ctx context.Context) Health {
	h := Health{Node: n.Hub().Node(), Ready: true}
	add := func(name string, ok bool, reason string) {
		c := HealthCheck{Name: name, OK: ok}
		if !ok {
			c.Reason, h.Ready = reason, false
		}
		h.Checks = append(h.Checks, c)
	}
	ctx, cancel := context.WithTimeout(ctx, stateWithin)
	defer cancel()
	_, err := n.State().Generation(ctx)
	add("state", err == nil, "the database does not answer: "+text(err))
	t := n.term.Load()
	add("role", t != nil && t.ctx.Err() == nil, "this node has no serving role now, and sends nothing")
	if t == nil {
		return h
	}
	t.mu.Lock()
	runs := t.runner != nil
	t.mu.Unlock()
	add("jobs", runs, "runs cannot be scheduled; the log says why")
	for _, s := range t.senders.list() {
		err := s.trouble()
		add("connector "+s.name, err == nil, "nothing is sent: "+text(err))
	}
	return h
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (n *Node) healthz(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }

func (n *Node) readyz(w http.ResponseWriter, r *http.Request) {
	h := n.Health(r.Context())
	w.Header().Set("Content-Type", "application/json")
	if !h.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(h) // who hung up does not read it
}
