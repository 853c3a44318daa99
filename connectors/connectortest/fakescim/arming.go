package fakescim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// armed is a fault that waits for its requests.
type armed struct {
	Fault
	met  int // requests that it was for
	seen map[string]bool
	end  func() // undoes what arming did; nil: nothing
}

// Arm makes something go wrong by this door from now on. The function that it
// returns ends it. It panics when there is no fault of the name: a test that arms
// nothing would prove nothing.
func (d *Door) Arm(f Fault) (disarm func()) {
	if !contains(faultNames, f.Name) {
		panic(fmt.Sprintf("fakescim: there is no fault %q; there are %q", f.Name, faultNames))
	}
	a := &armed{Fault: f, seen: map[string]bool{}}
	switch f.Name {
	case Down:
		d.stop()
		a.end = d.restart
	case Reset:
		if a.Times == 0 {
			a.Times = 1
		}
		d.hangUpIdle()
	case Quota:
		q := &quotaOf{class: "all", n: f.N, per: f.Wait}
		if q.per == 0 {
			q.per = time.Hour
		}
		d.server.limits.add(q)
		a.end = func() { d.server.limits.drop(q) }
	}
	d.mu.Lock()
	d.faults = append(d.faults, a)
	d.mu.Unlock()
	return func() { d.disarm(a) }
}

// Disarm ends all faults of this door.
func (d *Door) Disarm() {
	d.mu.Lock()
	all := slices.Clone(d.faults)
	d.mu.Unlock()
	for _, a := range all {
		d.disarm(a)
	}
}

func (d *Door) disarm(a *armed) {
	d.mu.Lock()
	at := slices.Index(d.faults, a)
	if at >= 0 {
		d.faults = slices.Delete(d.faults, at, at+1)
	}
	d.mu.Unlock()
	if at >= 0 && a.end != nil {
		a.end()
	}
}

// due returns the faults that happen to a request, and counts it.
func (d *Door) due(method, path string) []*armed {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*armed
	for _, a := range d.faults {
		if a.Name != Reset && a.isFor(method, path) && a.happens() {
			out = append(out, a)
		}
	}
	return out
}

// breaks reports whether a new connection is to be reset.
func (d *Door) breaks() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.faults {
		if a.Name == Reset && a.happens() {
			return true
		}
	}
	return false
}

// happens counts a request that the fault is for.
func (a *armed) happens() bool {
	a.met++
	return a.met > a.Skip && (a.Times == 0 || a.met <= a.Skip+a.Times)
}

// first reports whether the fault has not happened yet to what key is about.
func (d *Door) first(a *armed, key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.seen[key] {
		return false
	}
	a.seen[key] = true
	return true
}

func (f *Fault) isFor(method, path string) bool {
	if !strings.HasPrefix(path, f.Path) {
		return false
	}
	want := f.Method
	if want == "" {
		want = usualMethod[f.Name]
	}
	reads := method == http.MethodGet || method == http.MethodHead || strings.HasSuffix(path, "/.search")
	switch want {
	case "", "any":
		return true
	case "read":
		return reads
	case "write":
		return !reads
	}
	return method == want && !strings.HasSuffix(path, "/.search")
}
