package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// The calls that faults can name besides the verbs of operations.
const (
	callGet     = "get"
	callList    = "list"
	callChanges = "changes"
	callCheck   = "check"
	callSchema  = "schema"
	callInvoke  = "invoke"
	// callWrite and callRead stand for all of a kind.
	callWrite = "write"
	callRead  = "read"
)

var reads = []string{callGet, callList, callChanges}

var writes = []string{
	string(connector.VerbCreate), string(connector.VerbUpdate), string(connector.VerbEnable), string(connector.VerbDisable),
	string(connector.VerbDelete), string(connector.VerbGrant), string(connector.VerbRevoke), string(connector.VerbSetCredential),
	string(connector.VerbRename),
}

var callNames = slices.Concat(writes, reads, []string{callCheck, callSchema, callInvoke, callWrite, callRead})

// occasion is one call as faults see it.
type occasion struct {
	call      string // a verb, or one of the calls above
	key       string // name of the object, "" where there is none
	operation string // idempotency key, "" on reads
}

// faults decides which faults happen. It counts calls for each fault.
type faults struct {
	fixed   []Fault
	control string
	dir     string // of files that are named by a relative path

	mu     sync.Mutex
	counts map[string]int
}

// at returns the faults that happen at this call.
func (f *faults) at(o occasion) ([]Fault, error) {
	all := f.fixed
	if f.control != "" {
		more, err := readControl(f.control)
		if err != nil {
			return nil, connector.Errorf(connector.CodeConfiguration, "control file: %w", err)
		}
		all = slices.Concat(all, more)
	}
	var out []Fault
	for i, x := range all {
		if x.matches(o) && f.due(i, x, o) {
			out = append(out, x)
		}
	}
	return out, nil
}

// byKey reports whether any fault may ask for an object by name.
func (f *faults) byKey() bool {
	return f.control != "" || slices.ContainsFunc(f.fixed, func(x Fault) bool { return x.Key != "" })
}

func readControl(path string) ([]Fault, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(b) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var c struct {
		Faults []Fault `json:"faults"`
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i, x := range c.Faults {
		if bad := x.validate(fmt.Sprintf("/faults/%d", i)); len(bad) > 0 {
			return nil, fmt.Errorf("%s: %s %s", path, bad[0].Path, bad[0].Summary)
		}
	}
	return c.Faults, nil
}

func (f Fault) matches(o occasion) bool {
	if f.Key != "" && f.Key != o.key {
		return false
	}
	return len(f.Calls) == 0 || slices.ContainsFunc(f.Calls, func(c string) bool {
		return c == o.call || c == callWrite && slices.Contains(writes, o.call) || c == callRead && slices.Contains(reads, o.call)
	})
}

// due counts the call and reports whether the fault happens at it.
func (f *faults) due(i int, x Fault, o occasion) bool {
	id := fmt.Sprintf("%d %+v", i, x)
	if x.PerOperation {
		id += " " + o.operation
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[id]++
	n := f.counts[id]
	if x.Nth > 0 && n != x.Nth || x.Nth == 0 && x.Times > 0 && n > x.Times {
		return false
	}
	return x.Once == "" || firstTime(within(f.dir, x.Once))
}

// firstTime makes the file at path and reports whether it was not there.
func firstTime(path string) bool {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// before carries out the faults that come before anything takes effect.
func before(ctx context.Context, fs []Fault) error {
	for _, f := range fs {
		switch f.Do {
		case Fail:
			return f.err()
		case Slow:
			if err := sleep(ctx, f.wait()); err != nil {
				return connector.Errorf(connector.CodeTimeout, "the target was slow, and nothing was done: %w", err)
			}
		case Freeze:
			time.Sleep(f.wait())
		case Hang:
			<-ctx.Done()
			return ctx.Err()
		case Panic:
			panic("memory: asked to panic")
		case Crash:
			crash()
		}
	}
	return nil
}

// after carries out the faults that come once the work is done.
func after(ctx context.Context, fs []Fault) error {
	for _, f := range fs {
		switch f.Do {
		case LoseReply:
			return errors.New("connection reset while waiting for the reply")
		case HangAfter:
			<-ctx.Done()
			return ctx.Err()
		case CrashDone:
			crash()
		}
	}
	return nil
}

// crash ends the process the hard way, as the kernel does when memory runs out.
func crash() {
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		os.Exit(137)
	}
	select {}
}

func (f Fault) err() error {
	code, _ := connector.ParseCode(f.code())
	e := &connector.Error{Code: code, Message: f.Message, Scope: f.Scope, RetryAfter: time.Duration(f.RetryAfter), NativeCode: "MEMORY " + f.code()}
	if e.Message == "" {
		e.Message = "the target was told to fail"
	}
	return e
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// find returns the first of the faults that does mode.
func find(fs []Fault, mode Mode) (Fault, bool) {
	i := slices.IndexFunc(fs, func(f Fault) bool { return f.Do == mode })
	if i < 0 {
		return Fault{}, false
	}
	return fs[i], true
}
