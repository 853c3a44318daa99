package helpdesk

import (
	"fmt"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/store"
)

// explainStandstill explains why the operations of a whole connector wait.
func explainStandstill(c store.Cause) Text {
	s := subject{connector: c.Connector}
	t := Text{Happened: c.Connector + " stands still", Who: Ops, Means: fmt.Sprintf("%d operations wait, and none of them is lost", c.Count)}
	if c.Count == 1 {
		t.Means = "one operation waits, and is not lost"
	}
	if c.Leavers > 0 {
		t.Means += fmt.Sprintf("; leavers among them, who can still use their accounts: %d", c.Leavers)
	}
	check := Step{Check, "check the connector: when that passes, it goes on", "provhub connector check " + c.Connector}
	switch c.Standstill.Kind {
	case store.StillStopped:
		t.Do, t.Can = "mend what is wrong, then check the connector", []Step{check}
		if code, ok := codeIn(c.Standstill.Why); ok {
			t.Happened = s.fault(code, nil)
			t.Do = strings.TrimSuffix(s.fill(faultOf(code).parked.do, ""), ", then try again") + "; it goes on when the check passes"
		}
	case store.StillUnusable:
		t.Happened = "the plugin of " + c.Connector + " does not start"
		t.Do, t.Can = "mend what is wrong, then check the connector", []Step{check}
	case store.StillHeld:
		t.Happened = "the config of " + c.Connector + " leads to another target than before"
		t.Do = "lead it back, or give the other target a connector of its own"
	case store.StillPaused:
		t.Happened = "a person has paused " + c.Connector
		t.Do, t.Can = "resume it once the reason is gone", []Step{{Resume, "let it send again", "provhub connector resume " + c.Connector}}
	case store.StillQuarantined:
		t.Happened = "too many operations of " + c.Connector + " failed, so that only single ones are tried"
		t.Do, t.Can = "look at what they fail for; it goes on by itself when single ones succeed", []Step{check}
	case store.StillMaintained:
		t.Happened, t.Who = "the target of "+c.Connector+" is worked on", Nobody
		t.Do = "nothing: it goes on by itself after the " + c.Standstill.Why
		if c.Leavers > 0 {
			t.Do += "; whom that is too late for, lock the account in the target by hand"
			t.Who = Target
		}
	case store.StillEverything:
		t.Happened = "a person has stopped everything"
		t.Do, t.Can = "let it go on once the reason is gone", []Step{{Go, "let everything go on", "provhub go"}}
	}
	return t
}

// codeIn finds the code of an error in what a connector was stopped for.
func codeIn(why string) (connector.Code, bool) {
	for _, word := range strings.FieldsFunc(why, func(r rune) bool { return (r < 'A' || r > 'Z') && r != '_' }) {
		if code, ok := connector.ParseCode(word); ok {
			return code, true
		}
	}
	return 0, false
}
