package helpdesk

import (
	"fmt"
	"strings"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// subject is whom and what an explanation is about.
type subject struct {
	connector string
	who       string // "person 1001", "group sales", "312 people"
	many      bool
	kind      plan.Kind // "": of several kinds
	leaver    bool
	someLeave bool // of many
	// lost and gained are the rights that an update takes and gives.
	lost, gained []string
	finished     bool
}

func subjectOf(op store.OpRow) subject {
	s := subject{connector: op.Connector, who: "person " + op.Anchor, kind: op.Operation.Kind, leaver: op.Lane.Leaver(),
		finished: op.State == store.OpDone}
	if op.AccountKey.Kind == identity.Group {
		s.who = "group " + op.Anchor
	}
	for _, g := range op.Grants {
		if g.Remove {
			s.lost = append(s.lost, g.Entitlement)
		} else {
			s.gained = append(s.gained, g.Entitlement)
		}
	}
	return s
}

func subjectOfCause(c store.Cause) subject {
	if c.Count == 1 && len(c.Examples) == 1 {
		return subjectOf(c.Examples[0])
	}
	s := subject{connector: c.Connector, who: fmt.Sprintf("%d people", c.Count), many: true, leaver: c.Leavers == c.Count}
	for _, op := range c.Examples {
		if op.AccountKey.Kind == identity.Group {
			s.who = fmt.Sprintf("%d identities", c.Count)
		}
	}
	if len(c.Kinds) == 1 {
		for kind := range c.Kinds {
			s.kind = kind
		}
	}
	s.someLeave = c.Leavers > 0
	return s
}

// means says what it is for the people that the operation is not done.
func (s subject) means() string {
	if s.finished {
		return "nothing is left to do for " + s.who + " in " + s.connector
	}
	has, cannot, holds := " has", " cannot", " still holds "
	account := "account"
	if s.many {
		has, holds, account = " have", " still hold ", "accounts"
	}
	switch s.kind {
	case plan.Create:
		return s.who + has + " no account in " + s.connector + " yet"
	case plan.Adopt:
		return "the " + account + " of " + s.who + " in " + s.connector + " is not looked after yet"
	case plan.Enable:
		return s.who + cannot + " use the " + account + " in " + s.connector + " yet"
	case plan.Disable:
		if s.leaver {
			return s.who + " should be locked out and can still use the " + account + " in " + s.connector
		}
		return s.who + " can still use the " + account + " in " + s.connector
	case plan.Delete:
		return "the " + account + " of " + s.who + " in " + s.connector + " is still there"
	case plan.Update:
		switch {
		case len(s.lost) > 0:
			return s.who + holds + strings.Join(s.lost, ", ") + " in " + s.connector
		case len(s.gained) > 0:
			return s.who + has + " not got " + strings.Join(s.gained, ", ") + " in " + s.connector + " yet"
		}
		return "the " + account + " of " + s.who + " in " + s.connector + " still has the old values"
	}
	if s.someLeave {
		return "the accounts of " + s.who + " in " + s.connector + " stay as they are; some should be locked out"
	}
	return "the accounts of " + s.who + " in " + s.connector + " stay as they are"
}
