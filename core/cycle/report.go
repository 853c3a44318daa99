package cycle

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/quality"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/store"
)

// Report says how a cycle went. It is kept with the source's state.
type Report struct {
	Source source.Report `json:"source"`
	// Unchanged: the source is what it was the last time, byte by byte, and was not
	// decoded again.
	Unchanged bool `json:"unchanged,omitempty"`
	New       int  `json:"new"`
	Changed   int  `json:"changed"`
	Vanished  int  `json:"vanished"`
	// Missing are people who were not in the reading and are kept all the same,
	// because it was incomplete or too many were missing.
	Missing int `json:"missing"`
	// Doubles are anchors that stand in the source more than once.
	Doubles int `json:"doubles"`
	// Faults are the records that could not be used besides those in Source.Faults,
	// the first hundred; FaultCount counts them all.
	Faults     []source.Fault `json:"faults,omitempty"`
	FaultCount int            `json:"fault_count"`
	Warnings   []string       `json:"warnings,omitempty"`
	// Timers are the people whose state changed because its date has come.
	Timers int `json:"timers"`
	// Evaluated are the accounts that were worked out.
	Evaluated int `json:"evaluated"`
	// Clock is the time that dates were compared with.
	Clock time.Time `json:"clock"`
	// Settings names the source's configuration.
	Settings string `json:"settings"`
	// ReadWhole is when the source was last read from beginning to end.
	ReadWhole time.Time `json:"read_whole,omitzero"`
	// Pushed are the records that came by themselves and are newer than the source
	// as last read.
	Pushed []Pushed `json:"pushed,omitempty"`
	// Findings are what is suspicious about the reading, those that hold it first.
	Findings []quality.Finding `json:"findings,omitempty"`
	// Profile counts what the source holds; the next reading is judged against it.
	Profile *quality.Profile `json:"profile,omitempty"`
	// Refused is the reading after this one of which nothing was taken over; nil: none.
	Refused *Refused `json:"refused,omitempty"`
}

// Refused is a reading that waits for a person.
type Refused struct {
	Snapshot string            `json:"snapshot"`
	At       time.Time         `json:"at"`
	Findings []quality.Finding `json:"findings"`
}

const faultsMax = 100

func (r *Report) fault(f source.Fault) {
	r.FaultCount++
	if len(r.Faults) < faultsMax {
		r.Faults = append(r.Faults, f)
	}
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// last is what is known of the reading before this one; the zero last when there
// was none.
type last struct {
	store.SourceState
	report Report
}

// recall reads how the last reading went.
func (p *pass) recall(ctx context.Context) error {
	if err := p.recallLast(ctx); err != nil {
		return err
	}
	p.report.Settings = p.settings()
	p.byName = p.references(identity.Person).ByName()
	p.report.ReadWhole, p.report.Pushed = p.last.report.ReadWhole, p.last.report.Pushed
	p.clock = p.believed()
	p.report.Clock = p.clock
	return nil
}

// recallLast reads what is known of the reading before this one.
func (p *pass) recallLast(ctx context.Context) error {
	s, err := p.Store.SourceState(ctx, p.Source.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	p.last.SourceState = s
	p.last.report, err = ReportOf(s)
	return err
}

// settings names everything that decides what is made of a record besides the
// record itself: when it changes, every record counts as changed.
func (p *pass) settings() string {
	l := p.Source.Lifecycle
	zone := "UTC"
	if l.DefaultZone != nil {
		zone = l.DefaultZone.String()
	}
	l.DefaultZone = nil
	b, err := json.Marshal(struct {
		Version   int
		Lifecycle any
		Zone      string
		Reference string
		CSV       any
		Fields    []source.Field
		With      any `json:",omitempty"`
		Groups    any `json:",omitempty"`
		LDAP      any `json:",omitempty"`
		SCIM      any `json:",omitempty"`
	}{1, l, zone, p.Source.Reference, p.Source.CSV, p.Reader.Fields(), p.Source.With, p.Source.Groups, p.Source.LDAP, p.Source.SCIM})
	if err != nil {
		panic(fmt.Sprintf("cycle: a source's configuration has no JSON: %v", err)) // plain structs
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// ReportOf returns the report of the last reading; the zero Report when there was none.
func ReportOf(s store.SourceState) (r Report, err error) {
	if len(s.Report) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(s.Report, &r); err != nil {
		return r, fmt.Errorf("the stored report of the last reading cannot be read: %w", err)
	}
	return r, nil
}

// Token returns where the next reading of a source goes on, as the report of the
// last one has it; nil when there is no such place.
func Token(s store.SourceState) ([]byte, error) {
	r, err := ReportOf(s)
	return r.Source.Token, err
}

// NextWhole returns when a source that tells what changed is read whole the next
// time; zero for one that is read whole every time.
func (r *Report) NextWhole(s *config.Source) time.Time {
	if r.Source.Token == nil || r.ReadWhole.IsZero() {
		return time.Time{}
	}
	return r.ReadWhole.Add(cmp.Or(s.WholeEvery, wholeEvery))
}
