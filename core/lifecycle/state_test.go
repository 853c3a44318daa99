package lifecycle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

var rules = Rules{
	Status: "status", Active: []string{"A", "working"}, Suspended: []string{"leave"}, Leaver: []string{"terminated"},
	Start: "start", End: "end", Zone: "zone",
	Contractor: "type", Contractors: []string{"contractor"}, EndRequired: true,
}

type person = identity.Attributes

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return when
}

func TestState(t *testing.T) {
	const noon = "2026-03-15T12:00:00Z"
	tests := []struct {
		name  string
		who   person
		now   string
		state identity.State
		due   string
	}{
		{name: "an active status without dates is active for good", who: person{"status": "A"}, now: noon, state: identity.Active},
		{name: "a status is compared without regard to case and blanks", who: person{"status": " Working "}, now: noon, state: identity.Active},
		{name: "QUIRKS HR-21: a start ahead is pre-hire until that day begins", who: person{"status": "A", "start": "2026-04-01"}, now: noon, state: identity.PreHire, due: "2026-04-01T00:00:00Z"},
		{name: "the start day itself is active", who: person{"status": "A", "start": "2026-03-15"}, now: "2026-03-15T00:00:00Z", state: identity.Active},
		{name: "QUIRKS HR-25: leave is suspended, not leaver", who: person{"status": "leave"}, now: noon, state: identity.Suspended},
		{name: "leave ends with the contract", who: person{"status": "leave", "end": "2026-03-20"}, now: noon, state: identity.Suspended, due: "2026-03-21T00:00:00Z"},
		{name: "a leaver without a date leaves at once", who: person{"status": "terminated"}, now: noon, state: identity.Leaver},
		{name: "QUIRKS HR-20: a leaver works on the last working day", who: person{"status": "terminated", "end": "2026-03-15"}, now: noon, state: identity.Active, due: "2026-03-16T00:00:00Z"},
		{name: "QUIRKS HR-20: and has left when it is over", who: person{"status": "terminated", "end": "2026-03-15"}, now: "2026-03-16T00:00:00Z", state: identity.Leaver},
		{name: "QUIRKS HR-22: a contractor leaves on the end date without a change of status", who: person{"status": "A", "type": "contractor", "end": "2026-03-14"}, now: noon, state: identity.Leaver},
		{name: "a contractor who has left needs no end date", who: person{"status": "terminated", "type": "contractor"}, now: noon, state: identity.Leaver},
		{name: "QUIRKS HR-21: a hire taken back before the start has left", who: person{"status": "terminated", "start": "2026-04-01", "end": "2027-04-01"}, now: noon, state: identity.Leaver},

		{name: "QUIRKS HR-20: Auckland's day begins 13 hours before UTC's",
			who: person{"status": "A", "end": "2026-03-15", "zone": "Pacific/Auckland"}, now: "2026-03-15T10:59:59Z", state: identity.Active, due: "2026-03-15T11:00:00Z"},
		{name: "QUIRKS HR-20: Auckland's last day is over while it goes on in UTC",
			who: person{"status": "A", "end": "2026-03-15", "zone": "Pacific/Auckland"}, now: "2026-03-15T11:00:00Z", state: identity.Leaver},
		{name: "QUIRKS HR-20: Honolulu's last day goes on when UTC's is over",
			who: person{"status": "A", "end": "2026-03-15", "zone": "Pacific/Honolulu"}, now: "2026-03-16T09:59:59Z", state: identity.Active, due: "2026-03-16T10:00:00Z"},
		{name: "the day the clocks go forward has 23 hours in Berlin",
			who: person{"status": "A", "end": "2026-03-29", "zone": "Europe/Berlin"}, now: "2026-03-29T21:59:59Z", state: identity.Active, due: "2026-03-29T22:00:00Z"},
		{name: "the day the clocks go back has 25 hours in Berlin",
			who: person{"status": "A", "end": "2026-10-25", "zone": "Europe/Berlin"}, now: "2026-10-25T22:59:59Z", state: identity.Active, due: "2026-10-25T23:00:00Z"},
		{name: "a day without a midnight begins when the clocks have changed",
			who: person{"status": "A", "start": "2018-11-04", "zone": "America/Sao_Paulo"}, now: "2018-11-04T02:59:59Z", state: identity.PreHire, due: "2018-11-04T03:00:00Z"},
		{name: "a day with two midnights begins at the first",
			who: person{"status": "A", "start": "2026-11-01", "zone": "America/Havana"}, now: "2026-11-01T03:59:59Z", state: identity.PreHire, due: "2026-11-01T04:00:00Z"},
		{name: "a day that a zone left out begins with the next one",
			who: person{"status": "A", "start": "2011-12-30", "zone": "Pacific/Apia"}, now: "2011-12-30T09:59:59Z", state: identity.PreHire, due: "2011-12-30T10:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state, due, err := rules.State(tt.who, at(t, tt.now))
			require.NoError(t, err)
			require.Equal(t, tt.state, state)
			if tt.due == "" {
				require.Zero(t, due)
				return
			}
			require.Equal(t, tt.due, due.UTC().Format(time.RFC3339))
		})
	}
}

func TestStateFaults(t *testing.T) {
	tests := []struct {
		name string
		who  person
		want string
	}{
		{"a status in no list", person{"status": "sabbatical-7"}, `attribute "status": the status is in none of the lists`},
		{"no status", person{}, `attribute "status": no status`},
		{"an end before the start", person{"status": "A", "start": "2026-02-01", "end": "2026-01-31"}, `attribute "end": the end date is before the start date in "start"`},
		{"a date that is none", person{"status": "A", "start": "2026-02-30"}, `attribute "start": not a date`},
		{"a zone that is none", person{"status": "A", "zone": "Mars/Olympus"}, `attribute "zone": not an IANA time zone`},
		{"the machine's own zone", person{"status": "A", "zone": "Local"}, `attribute "zone": not an IANA time zone`},
		{"QUIRKS HR-22: a contractor without an end", person{"status": "A", "type": "Contractor"}, `attribute "end": a contractor needs an end date`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := rules.State(tt.who, at(t, "2026-03-15T12:00:00Z"))
			require.ErrorContains(t, err, tt.want)
			for _, v := range tt.who {
				if v != "A" {
					require.NotContains(t, err.Error(), v, "an error holds no personal values")
				}
			}
		})
	}
}

func TestNoRulesMeanActive(t *testing.T) {
	state, due, err := Rules{}.State(person{"status": "terminated"}, time.Now())
	require.NoError(t, err)
	require.Equal(t, identity.Active, state)
	require.Zero(t, due)
}

// What State says is due must be what it says when that moment comes.
func TestDueIsWhenTheStateChanges(t *testing.T) {
	who := person{"status": "A", "start": "2026-03-29", "end": "2026-10-25", "zone": "Europe/Berlin"}
	now := at(t, "2026-01-01T00:00:00Z")
	var seen []identity.State
	for {
		state, due, err := rules.State(who, now)
		require.NoError(t, err)
		seen = append(seen, state)
		if due.IsZero() {
			break
		}
		before, _, err := rules.State(who, due.Add(-time.Nanosecond))
		require.NoError(t, err)
		require.Equal(t, state, before)
		now = due
	}
	require.Equal(t, []identity.State{identity.PreHire, identity.Active, identity.Leaver}, seen)
}

func TestCheck(t *testing.T) {
	fields := []source.Field{{Name: "end", Type: source.Date}, {Name: "start", Type: source.Text}, {Name: "status", Type: source.Text}}
	err := Rules{Status: "state", Start: "start", End: "end", Active: []string{"A", "X"}, Leaver: []string{"x"}, EndRequired: true}.Check(fields)
	require.EqualError(t, err, `status: the source has no attribute "state"; it has end, start, status
start: attribute "start" is of type text; it must be date
"x" stands in more than one of the lists active, suspended and leaver
end_required: needs end, contractor and contractors`)
	require.NoError(t, Rules{Status: "status", Active: []string{"A"}, End: "end"}.Check(fields))
	require.NoError(t, Rules{}.Check(nil))
	require.ErrorContains(t, Rules{Leaver: []string{"x"}}.Check(fields), "status: lists of status values are given")
	require.ErrorContains(t, Rules{Status: "status"}.Check(fields), "active: list the status values")
}

func BenchmarkState(b *testing.B) {
	who := person{"status": "A", "start": "2020-03-29", "end": "2030-10-25", "zone": "Europe/Berlin", "type": "employee"}
	now := time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := rules.State(who, now); err != nil {
			b.Fatal(err)
		}
	}
}
