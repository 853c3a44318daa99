package sql

import (
	"errors"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// refused reads what the database said to a statement of step i.
func (t *Target) refused(d *dialect.Dialect, u *unit, i int, err error) *attempt {
	var own *connector.Error
	if errors.As(err, &own) {
		return &attempt{failed: u.failAt(i, own), excuse: -1}
	}
	f := d.FaultOf(err)
	verb := u.ops[i].Verb()
	if verb == connector.VerbSetCredential {
		f.Text = "" // what a trigger says of a password may repeat it
	}
	switch f.Kind {
	case dialect.KindLost, dialect.KindTimeout:
		// Nobody can tell what the server still did (QUIRKS SQL-10).
		if f.Native == "" {
			return &attempt{failed: u.unknown(f.Error()), excuse: -1, broken: true}
		}
	case dialect.KindForeignKey:
		if verb == connector.VerbDelete || verb == connector.VerbRevoke {
			f.Kind = dialect.KindReferenced
		} else if verb != connector.VerbCreate && len(u.ops) > 1 {
			return &attempt{excuse: i, because: f.Error()}
		}
	}
	return &attempt{failed: u.failAt(i, f.Error()), excuse: -1, broken: f.Kind == dialect.KindLost}
}

// commitFailed: an answer of the server is an answer; silence is not.
func (t *Target) commitFailed(db *database, s *session, u *unit, err error) answers {
	f := db.d.FaultOf(err)
	s.broken = true
	switch f.Kind {
	case dialect.KindUnique, dialect.KindForeignKey, dialect.KindCheck, dialect.KindNotNull, dialect.KindContention, dialect.KindApplication:
		return u.failAll(f.Error())
	}
	e := f.Error()
	e.Message = "it is not known whether the transaction was committed: " + e.Message
	return u.unknown(e)
}

// unreached is the answer when no transaction could be begun: nothing was sent.
func unreached(f dialect.Fault) *connector.Error {
	if f.Kind == dialect.KindLost {
		f.Kind = dialect.KindUnavailable
	}
	return f.Error()
}

// finish gives the answers that hold now that the script is committed.
func (s *script) finish() answers {
	for i := range s.answers {
		r := s.about[i]
		if r == nil || !s.answers[i].Outcome.Done() {
			continue
		}
		o := connector.Object{Ref: r.ref()}
		if s.show[i] {
			o = r.object(nil)
		}
		s.answers[i].Object = &o
	}
	return s.answers
}
