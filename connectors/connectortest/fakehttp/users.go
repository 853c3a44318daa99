package fakehttp

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/provhub/provhub/connectors/connector"
)

// unique are the attributes that no two users share.
var unique = []string{"userName", "externalId"}

type users struct {
	mu     sync.Mutex
	lastID int
	byID   map[int]map[string]any
}

// Objects are the users as a connector for this API should read them: what the
// target holds, past the protocol. There is only the type "user".
func (u *users) Objects(_ context.Context, typ string) ([]connector.Object, error) {
	if typ != "user" {
		return nil, fmt.Errorf("fakehttp: there are no objects of type %s", typ)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	var out []connector.Object
	for _, id := range slices.Sorted(maps.Keys(u.byID)) {
		x := u.byID[id]
		o := connector.Object{Ref: connector.Ref{Type: typ, ID: strconv.Itoa(id)}, Enabled: connector.EnabledIf(x["active"] == true)}
		for _, name := range slices.Sorted(maps.Keys(x)) {
			if s, ok := x[name].(string); ok && name != "id" {
				o.Attributes = append(o.Attributes, connector.Attribute{Name: name, Values: connector.Values{s}})
			}
		}
		out = append(out, o)
	}
	return out, nil
}

func (u *users) create(w http.ResponseWriter, r *http.Request) {
	x := map[string]any{"active": true}
	if err := json.NewDecoder(r.Body).Decode(&x); err != nil || x["userName"] == nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": "userName is required"})
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if name := u.taken(0, x); name != "" {
		answer(w, http.StatusConflict, map[string]string{"error": "another user has this " + name})
		return
	}
	u.lastID++
	x["id"] = strconv.Itoa(u.lastID)
	u.byID[u.lastID] = x
	answer(w, http.StatusCreated, x)
}

// one finds the user whose id is in the path, and holds the lock for do.
func (u *users) one(do func(w http.ResponseWriter, r *http.Request, id int)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		defer u.mu.Unlock()
		id, _ := strconv.Atoi(r.PathValue("id")) // 0 is nobody's
		if u.byID[id] == nil {
			answer(w, http.StatusNotFound, map[string]string{"error": "there is no such user"})
			return
		}
		do(w, r, id)
	}
}

func (u *users) show(w http.ResponseWriter, _ *http.Request, id int) {
	answer(w, http.StatusOK, u.byID[id])
}

func (u *users) patch(w http.ResponseWriter, r *http.Request, id int) {
	var changes map[string]any
	if err := json.NewDecoder(r.Body).Decode(&changes); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": "the body is no JSON"})
		return
	}
	if name := u.taken(id, changes); name != "" {
		answer(w, http.StatusConflict, map[string]string{"error": "another user has this " + name})
		return
	}
	for name, v := range changes {
		if u.byID[id][name] = v; v == nil {
			delete(u.byID[id], name)
		}
	}
	answer(w, http.StatusOK, u.byID[id])
}

func (u *users) remove(w http.ResponseWriter, _ *http.Request, id int) {
	delete(u.byID, id)
	w.WriteHeader(http.StatusNoContent)
}

func (u *users) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after, afterErr := strconv.Atoi(cmp.Or(q.Get("after"), "0"))
	limit, limitErr := strconv.Atoi(cmp.Or(q.Get("limit"), "100"))
	if afterErr != nil || limitErr != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": "after and limit are numbers"})
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	found := []map[string]any{}
	for id := after + 1; id <= u.lastID && len(found) < limit; id++ {
		x, ok := u.byID[id]
		for _, name := range unique {
			ok = ok && (!q.Has(name) || same(name, x[name], q.Get(name)))
		}
		if ok {
			found = append(found, x)
		}
	}
	answer(w, http.StatusOK, map[string]any{"users": found})
}

// taken returns the attribute whose value in x another user than id has; "": none.
func (u *users) taken(id int, x map[string]any) string {
	for other, y := range u.byID {
		for _, name := range unique {
			if want, ok := x[name].(string); ok && other != id && same(name, y[name], want) {
				return name
			}
		}
	}
	return ""
}

// same compares values of a unique attribute: login names without regard to case.
func same(name string, have any, want string) bool {
	s, ok := have.(string)
	return ok && (s == want || name == "userName" && strings.EqualFold(s, want))
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}
