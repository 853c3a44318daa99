package fakeldap

import (
	"fmt"
	"slices"
	"sync"
)

// faultSet are the faults in force.
type faultSet struct {
	mu    sync.Mutex
	armed []*armed
}

type armed struct {
	Fault
	below  dn
	seen   int
	struck int
	dns    map[string]bool
}

// Inject switches a fault on, for all connections. clear switches it off; it is
// safe to call more than once.
func (s *Server) Inject(f Fault) (clear func(), err error) { return s.faults.inject(s.dir.schema, f) }

func (fs *faultSet) inject(s *schema, f Fault) (clear func(), err error) {
	ops, ok := defaultOps[f.Kind]
	if !ok {
		return nil, fmt.Errorf("fakeldap: there is no fault %q", f.Kind)
	}
	if f.Kind == Meanwhile && f.Do == nil || f.Kind == Refuse && f.Code == 0 && f.Win32 == 0 {
		return nil, fmt.Errorf("fakeldap: the fault %q needs Do, or Code or Win32", f.Kind)
	}
	if f.Win32 != 0 && s.flavor != ActiveDirectory {
		return nil, fmt.Errorf("fakeldap: only Active Directory reports Win32 errors; this server is %s", s.flavor)
	}
	if _, known := winErrors[win32(f.Win32)]; f.Win32 != 0 && !known {
		return nil, fmt.Errorf("fakeldap: the Win32 error %08X is not known", f.Win32)
	}
	if f.Ops == nil {
		f.Ops = ops
	}
	a := &armed{Fault: f, dns: map[string]bool{}}
	if a.below, err = s.parseDN(f.Below); err != nil {
		return nil, fmt.Errorf("fakeldap: the fault %q is below %q, which is no DN", f.Kind, f.Below)
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.armed = append(fs.armed, a)
	return func() {
		fs.mu.Lock()
		defer fs.mu.Unlock()
		fs.armed = slices.DeleteFunc(fs.armed, func(x *armed) bool { return x == a })
	}, nil
}

// strike returns the faults of the kinds that hit a request, and counts them.
func (fs *faultSet) strike(s *schema, op Op, target string, kinds ...FaultKind) []Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var out []Fault
	for _, a := range fs.armed {
		if slices.Contains(kinds, a.Kind) && slices.Contains(a.Ops, op) && a.hits(s, target) {
			out = append(out, a.Fault)
		}
	}
	return out
}

func (a *armed) hits(s *schema, target string) bool {
	key := ""
	if !a.below.isRoot() || a.OncePerDN {
		name, err := s.parseDN(target)
		if err != nil || !name.within(a.below) {
			return false
		}
		key = name.key()
	}
	a.seen++
	switch {
	case a.seen <= a.Skip, a.Times > 0 && a.struck >= a.Times, a.OncePerDN && a.dns[key]:
		return false
	}
	if a.OncePerDN {
		a.dns[key] = true
	}
	a.struck++
	return true
}

// struck returns the faults of the server and of the connection's door.
func (c *conn) struck(m message, kinds ...FaultKind) []Fault {
	target := m.target()
	return append(c.server.faults.strike(c.dir.schema, m.op, target, kinds...), c.door.faults.strike(c.dir.schema, m.op, target, kinds...)...)
}
