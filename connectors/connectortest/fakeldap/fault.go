package fakeldap

import (
	"time"
)

// FaultKind names a way in which the server lets a client down.
type FaultKind string

// The faults. Without [Fault.Ops] the first group concerns writes (add, modify,
// modifydn, delete), the second searches, the third what it says.
const (
	DropAfterWrite FaultKind = "drop_after_write" // takes effect; the connection is cut in place of the answer
	LateSuccess    FaultKind = "late_success"     // takes effect, and is answered, only after Delay, whether anybody waits or not
	Hang           FaultKind = "hang"             // no effect, no answer, the connection stays
	Refuse         FaultKind = "refuse"           // no effect; answered with Code, or with Win32 as Active Directory words it
	Busy           FaultKind = "busy"             // Refuse with 51
	Unavailable    FaultKind = "unavailable"      // Refuse with 52
	ReadOnly       FaultKind = "read_only"        // a read-only replica: Refuse with 10 and a referral to URL

	SizeLimit     FaultKind = "size_limit"     // the listing ends with 4 after Count entries, over all pages
	TimeLimit     FaultKind = "time_limit"     // likewise with 3
	AdminLimit    FaultKind = "admin_limit"    // likewise with 11
	Truncated     FaultKind = "truncated"      // the connection is cut after Count entries
	References    FaultKind = "references"     // a search reference to URL comes after Count entries
	CookieRefused FaultKind = "cookie_refused" // a page's cookie is not taken
	SyncExpired   FaultKind = "sync_expired"   // a sync cookie is too old: full refresh required
	Respelled     FaultKind = "respelled_dn"   // DNs come in other case and spacing than they were written
	ReplicaLag    FaultKind = "replica_lag"    // what was made less than Delay ago is not seen

	BindFails  FaultKind = "bind_fails" // 49; in Active Directory with Data as sub-code
	Slow       FaultKind = "slow"       // every request takes Delay longer
	Reset      FaultKind = "reset"      // the connection is reset when a request comes, which has no effect
	Disconnect FaultKind = "disconnect" // notice of disconnection (52), then the end; no effect
	Meanwhile  FaultKind = "meanwhile"  // Do runs after a search is answered: what others change between a client's read and its write
)

var (
	writes = []Op{OpAdd, OpModify, OpModifyDN, OpDelete}
	all    = []Op{OpBind, OpSearch, OpCompare, OpAdd, OpModify, OpModifyDN, OpDelete, OpExtended}
)

// defaultOps are the operations that a fault concerns when it does not say.
var defaultOps = map[FaultKind][]Op{
	DropAfterWrite: writes, LateSuccess: writes, Hang: writes, Refuse: writes, Busy: writes, Unavailable: writes, ReadOnly: writes,
	SizeLimit: {OpSearch}, TimeLimit: {OpSearch}, AdminLimit: {OpSearch}, Truncated: {OpSearch}, References: {OpSearch},
	CookieRefused: {OpSearch}, SyncExpired: {OpSearch}, Respelled: all, ReplicaLag: {OpSearch},
	BindFails: {OpBind}, Slow: all, Reset: all, Disconnect: all, Meanwhile: {OpSearch},
}

// Fault is one fault and when it strikes.
type Fault struct {
	Kind FaultKind
	// Ops are the operations concerned; nil: those of the kind.
	Ops []Op
	// Below limits it to requests for this DN and entries below it; "": all.
	Below string
	// Skip lets as many requests pass that it concerns, before the first strike.
	Skip int
	// Times is how often it strikes; 0: always.
	Times int
	// OncePerDN: each DN is struck once only.
	OncePerDN bool

	Delay time.Duration
	Count int
	Code  int
	Win32 uint32
	Text  string // of Refuse with Code
	Data  string // sub-code of BindFails; "": 52e
	URL   string // of a referral
	Do    func()
}
