// Package api is the hub's HTTP API:
//
//	POST /v1/sources/{source}/push   news of one person, see [hub.PushRequest]
//	GET  /healthz                    the process is there
//
// Requests are signed with a bearer token (RFC 6750 §2.1); errors are problem
// details (RFC 9457). A body is JSON and at most a megabyte.
package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// Options are what the API needs besides the hub.
type Options struct {
	// Token is what callers show; the zero Secret is refused by New.
	Token connector.Secret
	// Wait is how long an answer waits for operations that are to be tried again; 0: 10 s.
	Wait time.Duration
	Log  *slog.Logger // nil: none
	// Traces begins the traces of requests; nil: they have none.
	Traces *span.Tracer
}

const (
	maxBody     = 1 << 20
	defaultWait = 10 * time.Second
	pushRoute   = "POST /v1/sources/{source}/push"
	// busyAgain is when a caller may try again while another run is at work.
	busyAgain = "5"
)

// Hub is what carries requests out: a [*hub.Hub], or a node that serves.
type Hub interface {
	// Push carries out what follows from one person's record; see [hub.Hub.Push]. Several
	// may be asked for at the same time.
	Push(ctx context.Context, r hub.PushRequest, d hub.DrainOptions) (hub.SyncResult, error)
	State() *store.Org
}

// API serves the requests.
type API struct {
	hub Hub
	o   Options
	mux *http.ServeMux
}

// New returns the API of h.
func New(h Hub, o Options) (*API, error) {
	if o.Token.IsZero() {
		return nil, errors.New("api: no token is given: whoever can reach it could disable anybody")
	}
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a := &API{hub: h, o: o, mux: http.NewServeMux()}
	a.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	a.mux.Handle(pushRoute, a.signed(a.traced(pushRoute, a.pushed)))
	return a, nil
}

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// signed lets through who shows the token. Hashes are compared, so that neither
// content nor length shows in the time it takes.
func (a *API) signed(next http.HandlerFunc) http.Handler {
	want := sha256.Sum256([]byte(a.o.Token.Reveal()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(token))
		if !ok || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="provhub"`)
			fail(w, http.StatusUnauthorized, "show the token in the header Authorization: Bearer TOKEN")
			return
		}
		next(w, r)
	})
}

func (a *API) pushed(w http.ResponseWriter, r *http.Request) {
	request := hub.PushRequest{}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&request); err != nil {
		fail(w, http.StatusBadRequest, `the body is not JSON such as {"record": {"EmployeeID": "1005"}} or {"anchor": "1005"}: `+err.Error())
		return
	}
	if request.Source != "" && request.Source != r.PathValue("source") {
		fail(w, http.StatusBadRequest, "the body names another source than the path")
		return
	}
	request.Source = r.PathValue("source")
	began := time.Now()
	ctx := context.WithoutCancel(r.Context()) // whoever hangs up does not stop what has begun
	res, err := a.hub.Push(ctx, request, hub.DrainOptions{Wait: a.o.Wait})
	var out Result
	if err == nil {
		out, err = a.result(ctx, res)
	}
	log := a.o.Log.With("source", request.Source, "took", time.Since(began))
	if trace := span.Trace(ctx); trace != "" {
		log = log.With("trace", trace)
	}
	if err != nil {
		refuse(w, log, err)
		return
	}
	log.Info("a record was pushed", "status", out.Status)
	answer(w, http.StatusOK, out)
}

// refuse says why a push was not carried out.
func refuse(w http.ResponseWriter, log *slog.Logger, err error) {
	var usage *hub.UsageError
	switch {
	case errors.As(err, &usage):
		fail(w, http.StatusNotFound, err.Error())
	case errors.Is(err, hub.ErrPushRequest):
		fail(w, http.StatusUnprocessableEntity, err.Error())
	case errors.Is(err, store.ErrBusy):
		w.Header().Set("Retry-After", busyAgain)
		fail(w, http.StatusServiceUnavailable, "another run is at work; send it again")
	case errors.Is(err, hub.ErrNotServing):
		w.Header().Set("Retry-After", busyAgain)
		fail(w, http.StatusServiceUnavailable, err.Error()+"; send it again, or to another node")
	default:
		log.Error("a push failed", "error", err)
		fail(w, http.StatusInternalServerError, err.Error())
	}
}

// Result is the answer to a push.
type Result struct {
	// Status: done; nothing, when nothing follows from it; held by a guard; waiting,
	// when one of the operations is parked or to be tried again.
	Status     string      `json:"status"`
	Plan       string      `json:"plan"`
	Operations []Operation `json:"operations"`
	// Trace is the id of its trace, the caller's where that sent a traceparent; "": it
	// has none.
	Trace string `json:"trace,omitempty"`
}

// Operation is one operation that followed.
type Operation struct {
	ID        string `json:"id"`
	Connector string `json:"connector"`
	Kind      string `json:"kind"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
	Error     string `json:"error,omitempty"` // why it is not done
}

func (a *API) result(ctx context.Context, r hub.SyncResult) (Result, error) {
	out := Result{Status: "nothing", Operations: []Operation{}}
	for _, p := range r.Plans {
		out.Plan, out.Trace = p.Plan.Hash, p.Trace
		if len(p.Plan.Operations) > 0 {
			out.Status = "done"
		}
		for _, op := range p.Plan.Operations {
			row, _, err := a.hub.State().Operation(ctx, op.ID)
			if err != nil {
				return out, err
			}
			o := Operation{ID: op.ID, Connector: op.Connector, Kind: string(op.Kind), State: string(row.State), Reason: op.Reason}
			if row.State != store.OpDone && row.State != store.OpSuperseded {
				out.Status = "waiting"
				if row.LastError != nil {
					o.Error = row.LastError.Error()
				}
			}
			out.Operations = append(out.Operations, o)
		}
		if p.Status == store.PlanHeld {
			out.Status = "held"
		}
	}
	return out, nil
}

// problem is an error (RFC 9457 §3).
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func fail(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	answer(w, status, problem{Title: http.StatusText(status), Status: status, Detail: detail})
}

func answer(w http.ResponseWriter, status int, body any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who hung up does not read it
}
