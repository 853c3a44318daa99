package cycle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/quality"
	"github.com/provhub/provhub/core/source"
)

// forty are forty people in two departments, with mail addresses and a manager.
func forty(edit func(i int, who map[string]string)) []string {
	rows := make([]string, 40)
	for i := range rows {
		who := map[string]string{"name": fmt.Sprintf("name%d", i), "mail": fmt.Sprintf("p%d@example.com", i), "dept": []string{"sales", "it"}[i%2], "manager": "1000"}
		if i == 0 {
			who["manager"] = ""
		}
		if edit != nil {
			edit(i, who)
		}
		anchor := fmt.Sprint(1000 + i)
		if who["anchor"] != "" {
			anchor = who["anchor"]
			delete(who, "anchor")
		}
		rows[i] = anchor
		for k, v := range who {
			if v != "" {
				rows[i] += " " + k + "=" + v
			}
		}
	}
	return rows
}

// broken are readings that went wrong, and what is found.
var broken = []struct {
	name string
	edit func(i int, who map[string]string)
	kind string
	text string
	set  func(*quality.Rules, quality.Action)
}{
	{"two columns changed places", func(_ int, who map[string]string) { who["name"], who["mail"] = who["mail"], who["name"] },
		"swapped", "mail held mail addresses, and holds text now in 40 of 40", func(r *quality.Rules, a quality.Action) { r.Swapped.Then = a }},
	{"two columns of the same sort changed places", func(_ int, who map[string]string) { who["name"], who["dept"] = who["dept"], who["name"] },
		"swapped", "dept and name have changed places in 40 of 40 people", func(r *quality.Rules, a quality.Action) { r.Swapped.Then, r.Lost.Then = a, quality.Ignore }},
	{"a department is empty", func(_ int, who map[string]string) { who["dept"] = "it" },
		"lost", `dept "sales" lost 20 of its 20 people`, func(r *quality.Rules, a quality.Action) { r.Lost.Then = a }},
	{"managers are empty", func(_ int, who map[string]string) { who["manager"] = "" },
		"emptied", "manager is empty for 39 of the 39 people who had one", func(r *quality.Rules, a quality.Action) { r.Emptied.Then = a }},
	{"mail addresses are empty", func(_ int, who map[string]string) { who["mail"] = "" },
		"emptied", "mail is empty for 40 of the 40 people who had one", func(r *quality.Rules, a quality.Action) { r.Emptied.Then = a }},
	{"the ids slipped by one row", func(i int, who map[string]string) { who["anchor"] = fmt.Sprint(1000 + (i+1)%40) },
		"exchanged", "40 of 40 people stand under the id of somebody else: the ids look exchanged", func(r *quality.Rules, a quality.Action) { r.Exchanged.Then = a }},
	{"managers lead in a circle", func(i int, who map[string]string) {
		if i < 3 {
			who["manager"] = fmt.Sprint(1000 + (i+1)%3)
		}
	}, "circle", "the managers of 3 people lead in a circle", func(r *quality.Rules, a quality.Action) { r.Circles = a }},
	{"a manager is nobody", func(i int, who map[string]string) {
		if i > 30 {
			who["manager"] = "7"
		}
	}, "manager", "managers whom nobody is: named 9 times", func(r *quality.Rules, a quality.Action) { r.Managers = a }},
	{"dates are out of order", func(i int, who map[string]string) {
		if i%2 == 1 {
			who["start"], who["end"] = "2027-05-01", "2027-04-01"
		}
	}, "bad", "20 records cannot be used", func(r *quality.Rules, a quality.Action) { r.Bad.Then = a }},
}

func found(fs []quality.Finding, kind, text string) *quality.Finding {
	for i := range fs {
		if fs[i].Kind == kind && fs[i].Text == text {
			return &fs[i]
		}
	}
	return nil
}

// qualityLab has read a good source and carried out what followed.
func qualityLab(t *testing.T, set func(*quality.Rules, quality.Action), then quality.Action) *lab {
	l := newLab(t, forty(nil)...)
	l.cycle.Source.Quality = quality.Rules{Segments: []string{"dept"}}
	set(&l.cycle.Source.Quality, then)
	l.sync()
	require.Empty(t, l.report.Findings, "of a good source")
	return l
}

func TestABrokenReadingIsHeldAndNothingOfItTakenOver(t *testing.T) {
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			l := qualityLab(t, b.set, quality.Hold)
			before, err := l.store.Identities(t.Context(), "hr", identity.Person, []string{"1001", "1005"})
			require.NoError(t, err)
			l.people(forty(b.edit)...)
			for range 2 { // it stays held as long as nobody answers
				p := l.sync()
				require.Len(t, p.Verdicts, 1, "%v", l.report.Findings)
				require.Equal(t, plan.GuardQuality, p.Verdicts[0].Guarded)
				require.Contains(t, p.Verdicts[0].Text, b.text)
				require.Contains(t, p.Verdicts[0].Text, "provhub sync --accept "+l.file.snapshot()[:12])
				require.Empty(t, p.Operations)
				after, err := l.store.Identities(t.Context(), "hr", identity.Person, []string{"1001", "1005"})
				require.NoError(t, err)
				require.Equal(t, before, after)
			}
			l.cycle.Accept = l.file.snapshot()[:12]
			require.Empty(t, l.sync().Verdicts)
			l.cycle.Accept = ""
			require.Empty(t, l.sync().Verdicts, "it was accepted")
			require.True(t, l.report.Unchanged)
			l.people(append(forty(b.edit), "2000 name=new mail=new@example.com dept=it manager=1000")...)
			require.Empty(t, l.sync().Verdicts, "who accepted it is not asked again when somebody else changes")
		})
	}
}

func TestAMendedReadingNeedsNoAnswer(t *testing.T) {
	l := qualityLab(t, broken[4].set, quality.Hold)
	l.people(forty(broken[4].edit)...)
	require.NotEmpty(t, l.sync().Verdicts)
	l.people(forty(nil)...)
	p := l.sync()
	require.Empty(t, p.Verdicts)
	require.Empty(t, p.Operations)
	require.Nil(t, l.report.Refused)
}

func TestAWarningHoldsNothing(t *testing.T) {
	for _, b := range broken {
		for then, want := range map[quality.Action]bool{quality.Warn: true, quality.Ignore: false} {
			t.Run(b.name+", "+string(then), func(t *testing.T) {
				l := qualityLab(t, b.set, then)
				l.people(forty(b.edit)...)
				require.NotContains(t, verdictsOf(l.sync()), plan.GuardQuality)
				f := found(l.report.Findings, b.kind, b.text)
				require.Equal(t, want, f != nil, "%v", l.report.Findings)
				l.sync()
				require.True(t, l.report.Unchanged)
				require.Equal(t, want, found(l.report.Findings, b.kind, b.text) != nil, "what is wrong still is")
			})
		}
	}
}

func verdictsOf(p *plan.Plan) (out []plan.Guarded) {
	for _, v := range p.Verdicts {
		out = append(out, v.Guarded)
	}
	return out
}

// The profile that is carried on by what changed is the one that counting everybody
// gives.
func TestTheProfileIsThatOfEverybody(t *testing.T) {
	l := qualityLab(t, func(*quality.Rules, quality.Action) {}, quality.Warn)
	rows := forty(func(i int, who map[string]string) {
		switch {
		case i%7 == 3:
			who["mail"] = ""
		case i%7 == 4:
			who["dept"] = "hr"
		}
	})
	rows = append(rows[1:], rows[5], "3000 name=x manager=1000", "3001 bad=broken") // one gone, one double, one new, one bad
	l.people(rows...)
	l.sync()
	carried := l.report.Profile
	p := &pass{Cycle: l.cycle}
	require.NoError(t, p.recall(t.Context()))
	p.last.report.Profile = nil
	whole, managers, err := p.profile(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, managers)
	require.Equal(t, 40, whole.People)
	require.Equal(t, whole.People, carried.People)
	require.Equal(t, whole.Columns, carried.Columns)
	require.Equal(t, whole.Segments, carried.Segments)
	require.Equal(t, map[string]int{"1000": 40}, carried.Unknown, "their manager is gone")
}

func TestANormalWeekIsNotSuspicious(t *testing.T) {
	l := qualityLab(t, func(*quality.Rules, quality.Action) {}, quality.Hold)
	l.cycle.Source.Vanish = plan.Limit{Percent: 50}
	for week := range 6 {
		rows := forty(func(i int, who map[string]string) {
			switch (i + week) % 10 {
			case 1:
				who["dept"] = "hr"
			case 2:
				who["name"] += "-married"
			case 3:
				who["mail"] = ""
			case 4:
				who["manager"] = "1001"
			case 5:
				who["end"] = "2031-03-01"
			}
			if i <= 1 {
				who["manager"] = ""
			}
		})
		rows = append(rows[:38-week], fmt.Sprintf("3%03d name=new%d mail=n%d@example.com dept=it manager=1001", week, week, week))
		l.people(rows...)
		p := l.sync()
		require.Empty(t, l.report.Findings, "week %d", week)
		require.NotContains(t, verdictsOf(p), plan.GuardQuality)
	}
}

func TestLookingTakesNothingOver(t *testing.T) {
	l := qualityLab(t, broken[4].set, quality.Hold)
	state, err := l.store.SourceState(t.Context(), "hr")
	require.NoError(t, err)
	l.people(append(forty(broken[4].edit)[1:], "3001 bad=broken", "3002 name=new")...)
	var seen []string
	faults := 0
	report, verdicts, err := l.cycle.Look(t.Context(), l.now, Look{
		Fault: func(source.Fault) { faults++ },
		Change: func(before, after *identity.Identity) error {
			switch {
			case before == nil:
				seen = append(seen, "new "+after.Anchor)
			case after == nil:
				seen = append(seen, "gone "+before.Anchor)
			}
			return nil
		},
	})
	require.NoError(t, err)
	require.Equal(t, "new 3002,gone 1000", strings.Join(seen, ","), "3001 is bad")
	require.Len(t, verdicts, 1)
	require.NotNil(t, found(report.Findings, "emptied", "mail is empty for 40 of the 40 people who had one"), "%v", report.Findings)
	require.Equal(t, 1, faults)
	after, err := l.store.SourceState(t.Context(), "hr")
	require.NoError(t, err)
	require.Equal(t, state, after)
}
