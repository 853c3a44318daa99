package memory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Config is the config of one instance. The zero Config is a private, empty,
// well-behaved target.
type Config struct {
	Store   string   `json:"store,omitempty" doc:"Name of the objects: instances of one process that name the same store share it. Left out: an empty store of its own"`
	Journal string   `json:"journal,omitempty" doc:"File, in the instance's own folder when relative, to which every effect is appended and from which the objects are read back; it survives the process and may be shared between processes"`
	Control string   `json:"control,omitempty" doc:"JSON file with more faults, {\"faults\":[…]}, read again before every call; it need not exist"`
	Faults  []Fault  `json:"faults,omitempty" doc:"Ways in which the target fails, see each"`
	Tokens  []string `json:"tokens,omitempty" doc:"SHA-256 sums, in hex, of the values of the secret token that the target accepts; none: any, also none"`
	// MinPassword is the password policy.
	MinPassword     int  `json:"min_password,omitempty" default:"8" doc:"Least number of characters of a password"`
	Atomic          bool `json:"atomic,omitempty" doc:"Take the steps of one account together, all or nothing"`
	RenameChangesID bool `json:"rename_changes_id,omitempty" doc:"A renamed object gets a new id, as an LDAP entry does"`
	// Fingerprint stands for which target it is.
	Fingerprint string `json:"fingerprint,omitempty" doc:"How the target names itself; another name stands for another target"`
	PageSize    int    `json:"page_size,omitempty" default:"100" doc:"Objects read at a time while listing; others may write in between"`
}

// Definition describes the connector type.
var Definition = connector.Define(connector.Spec[Config]{
	Type: "memory", DisplayName: "Memory", Version: "1.0.0",
	Secrets:     []connector.SecretSpec{{Name: "token", Description: "What the target asks for at every call, when its config lists tokens", Rotatable: true}},
	Idempotency: connector.IdempotencyNatural,
	MaxInFlight: 16,
	Actions:     actions,
	Validate:    validate,
	Open: func(_ context.Context, c Config, in connector.Instance) (connector.Target, error) {
		return open(c, in)
	},
})

func validate(c Config) []connector.Finding {
	var fs []connector.Finding
	for i, f := range c.Faults {
		fs = append(fs, f.validate(fmt.Sprintf("/faults/%d", i))...)
	}
	for i, t := range c.Tokens {
		if b, err := hex.DecodeString(t); err != nil || len(b) != sha256.Size {
			fs = append(fs, connector.Finding{Path: fmt.Sprintf("/tokens/%d", i), Summary: "is not a SHA-256 sum in hex", Detail: "make one with: printf %s TOKEN | sha256sum"})
		}
	}
	if c.Store != "" && c.Journal != "" {
		fs = append(fs, connector.Finding{Path: "/store", Summary: "cannot be combined with journal", Detail: "a journal is shared by its file name"})
	}
	return fs
}

// Mode says what a fault does.
type Mode string

// The modes.
const (
	Fail      Mode = "fail"        // answer with code; nothing takes effect
	LoseReply Mode = "lose_reply"  // take effect, then lose the answer
	Slow      Mode = "slow"        // wait, then go on
	Hang      Mode = "hang"        // answer nothing until the call's time is over; nothing takes effect
	HangAfter Mode = "hang_after"  // the same, but it took effect
	Freeze    Mode = "freeze"      // ignore even the call's deadline, for wait
	Panic     Mode = "panic"       // panic; nothing takes effect
	Crash     Mode = "crash"       // kill the process; nothing takes effect
	CrashDone Mode = "crash_after" // take effect, then kill the process
	Pending   Mode = "pending"     // take effect, but tell only after wait, to a poll
	Blind     Mode = "blind"       // reads do not see what was made within wait
	Truncate  Mode = "truncate"    // listings end halfway and say so
	Expire    Mode = "expire"      // every sync token is too old
	Twice     Mode = "twice"       // answer an operation of a batch twice
	WrongID   Mode = "wrong_id"    // answer an operation that nobody sent, in its place
)

var modes = []Mode{Fail, LoseReply, Slow, Hang, HangAfter, Freeze, Panic, Crash, CrashDone, Pending, Blind, Truncate, Expire, Twice, WrongID}

// Fault is one way in which the target fails. Calls are counted from 1 for each
// fault, those that match it alone; counting starts anew with the process.
type Fault struct {
	Do    Mode     `json:"do" enum:"fail,lose_reply,slow,hang,hang_after,freeze,panic,crash,crash_after,pending,blind,truncate,expire,twice,wrong_id" doc:"What happens"`
	Calls []string `json:"calls,omitempty" doc:"Which calls: create, update, enable, disable, delete, grant, revoke, set_credential, rename, get, list, changes, check, schema, invoke; write and read stand for all of a kind. None: every call"`
	Key   string   `json:"key,omitempty" doc:"Only for the object with this userName, displayName or name"`
	Nth   int      `json:"nth,omitempty" doc:"Only the nth such call; 0: every one"`
	Times int      `json:"times,omitempty" doc:"At most so many times; 0: without end"`
	// PerOperation counts retries of one operation, not calls of all.
	PerOperation bool `json:"per_operation,omitempty" doc:"Count nth and times for each idempotency key by itself"`
	// Once survives a restart of the process, which counting does not.
	Once string `json:"once,omitempty" doc:"Happen once only, ever: the file of this name, in the instance's own folder when relative, is made when it happens"`

	Code       string             `json:"code,omitempty" default:"UNAVAILABLE" doc:"With fail: the error code, such as RATE_LIMITED"`
	Scope      connector.Scope    `json:"scope,omitempty" enum:"operation,object,instance" doc:"With fail: how far the error reaches"`
	Message    string             `json:"message,omitempty" doc:"With fail: the text"`
	RetryAfter connector.Duration `json:"retry_after,omitempty" doc:"With fail: how long to wait"`
	Wait       connector.Duration `json:"wait,omitempty" doc:"With slow, freeze, pending and blind: how long"`
}

func (f Fault) validate(at string) []connector.Finding {
	var fs []connector.Finding
	if !slices.Contains(modes, f.Do) {
		fs = append(fs, connector.Finding{Path: at + "/do", Summary: fmt.Sprintf("%q is not something a fault can do", f.Do)})
	}
	if _, ok := connector.ParseCode(f.code()); !ok {
		fs = append(fs, connector.Finding{Path: at + "/code", Summary: fmt.Sprintf("%q is not an error code", f.Code), Detail: "for example UNAVAILABLE, RATE_LIMITED, AUTHENTICATION"})
	}
	for i, c := range f.Calls {
		if !slices.Contains(callNames, c) {
			fs = append(fs, connector.Finding{Path: fmt.Sprintf("%s/calls/%d", at, i), Summary: fmt.Sprintf("%q is not a call", c)})
		}
	}
	return fs
}

func (f Fault) code() string {
	if f.Code == "" {
		return connector.CodeUnavailable.String()
	}
	return f.Code
}

func (f Fault) wait() time.Duration { return time.Duration(f.Wait) }
