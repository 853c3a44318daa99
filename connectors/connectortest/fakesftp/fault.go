package fakesftp

import (
	"path"
	"sync"
	"time"
)

// Do says what a fault does.
type Do string

// What faults do.
const (
	Cut       Do = "cut"        // the connection ends before the packet is looked at
	LoseReply Do = "lose_reply" // it takes effect, and the connection ends in place of the answer
	Hang      Do = "hang"       // it is never answered; the connection stays
	Slow      Do = "slow"       // it waits for Wait first
	Refuse    Do = "refuse"     // it is answered with Code and Message
)

// Fault is one way in which the server lets its clients down.
type Fault struct {
	// On is the kind of packet: "open", "write", "close", "stat", "fstat", "lstat",
	// "opendir", "readdir", "remove", "mkdir", "rename", "posix-rename", "fsync" …,
	// "any"; or "connection", "subsystem". Writes of the file's content are "write".
	On string
	// Name, as a pattern of [path.Match], is what the last part of the file's name
	// must be: the new one of a rename. "": any.
	Name string
	// Nth is the one packet of those that is meant, from 1; 0: all.
	Nth int
	// Times is how often it happens; 0: every time.
	Times int
	Do    Do
	Wait  time.Duration
	// Code is an SFTP status: 3 permission denied, 4 failure, 8 unsupported, 14 no
	// space; Message the words that go with it.
	Code    uint32
	Message string
}

// Ready-made faults.
var (
	// RenameRefused: no file gets its name.
	RenameRefused = []Fault{{On: "posix-rename", Do: Refuse, Code: 4, Message: "Failure"}, {On: "rename", Do: Refuse, Code: 4, Message: "Failure"}}
	// DiskFull: nothing can be written.
	DiskFull = []Fault{{On: "write", Do: Refuse, Code: 4, Message: "No space left on device"}}
	// Quota: the same, with a code that says so.
	Quota = []Fault{{On: "write", Do: Refuse, Code: 15, Message: "quota exceeded"}}
	// NoPermission: no file can be made.
	NoPermission = []Fault{{On: "open", Do: Refuse, Code: 3, Message: "Permission denied"}}
	// NoExtensions: a server that knows neither posix-rename nor fsync, and does not
	// rename to a name that is taken.
	NoExtensions = []Fault{{On: "posix-rename", Do: Refuse, Code: 8}, {On: "fsync", Do: Refuse, Code: 8}}
)

// packet is what a fault looks at.
type packet struct{ kind, name string }

// faults are the faults of one port.
type faults struct {
	mu   sync.Mutex
	list []*armed
}

type armed struct {
	Fault
	seen, done int
}

func newFaults(fs []Fault) *faults {
	f := &faults{}
	f.set(fs)
	return f
}

func (f *faults) set(fs []Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = nil
	for _, x := range fs {
		f.list = append(f.list, &armed{Fault: x})
	}
}

// meets returns the fault that a packet runs into.
func (f *faults) meets(p packet) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.list {
		if a.takes(p) {
			return a.Fault, true
		}
	}
	return Fault{}, false
}

func (a *armed) takes(p packet) bool {
	if a.On != p.kind && (a.On != "any" || p.kind == "connection" || p.kind == "subsystem") {
		return false
	}
	if a.Name != "" {
		if ok, _ := path.Match(a.Name, path.Base(p.name)); !ok {
			return false
		}
	}
	a.seen++
	if a.Nth > 0 && a.seen != a.Nth || a.Times > 0 && a.done >= a.Times {
		return false
	}
	a.done++
	return true
}
