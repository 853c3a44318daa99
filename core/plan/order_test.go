package plan

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

func op(kind Kind, connector string, of identity.Kind, anchor string, lane Lane) Operation {
	return Operation{AccountKey: identity.AccountKey{Source: "hr", Connector: connector, Kind: of, Anchor: anchor}, Kind: kind, Lane: lane, Reason: "test"}
}

func TestTotalOrder(t *testing.T) {
	p := Plan{Operations: []Operation{
		op(Create, "crm", identity.Person, "2", LaneNormal),
		op(Delete, "crm", identity.Group, "g", LaneNormal),
		op(Update, "crm", identity.Person, "10", LaneNormal),
		op(Create, "crm", identity.Group, "h", LaneNormal),
		op(Update, "erp", identity.Person, "1", LaneRevoke),
		op(Disable, "erp", identity.Person, "9", LaneLeaver),
		op(Disable, "crm", identity.Person, "9", LaneLeaver),
	}}
	Seal(&p)
	var got []string
	for _, o := range p.Operations {
		got = append(got, o.Connector+"/"+o.Anchor)
	}
	require.Equal(t, "crm/9 erp/9 erp/1 crm/h crm/10 crm/2 crm/g", strings.Join(got, " "))
}

func TestSealNamesThePlan(t *testing.T) {
	p := Plan{Operations: []Operation{op(Disable, "crm", identity.Person, "9", LaneLeaver), op(Disable, "erp", identity.Person, "9", LaneLeaver)},
		Verdicts: Guards{Run: map[Guarded]Limit{"disable": {Max: 1}}}.Check("crm", []Operation{
			op(Disable, "crm", identity.Person, "8", LaneLeaver), op(Disable, "crm", identity.Person, "9", LaneLeaver)}, Population{Accounts: 5})}
	Seal(&p)
	require.Len(t, p.Hash, 64)
	require.NotEqual(t, p.Operations[0].ID, p.Operations[1].ID)
	id, err := uuid.Parse(p.Operations[0].ID)
	require.NoError(t, err)
	require.EqualValues(t, 8, id.Version())
	require.Equal(t, uuid.RFC4122, id.Variant())

	again := p
	Seal(&again)
	require.Equal(t, p.Hash, again.Hash, "sealing a sealed plan changes nothing")
}

// Everything that a plan does is in its hash.
func TestHashCoversWhatThePlanDoes(t *testing.T) {
	base := func() Plan {
		o := op(Update, "crm", identity.Person, "9", LaneNormal)
		o.Changes = []Change{{Name: "title", Before: connector.Values{"a"}, After: connector.Values{"b"}}}
		o.Grants = []GrantChange{{Grant: identity.Grant{Entitlement: "x"}}}
		return Plan{Inputs: Inputs{Source: "hr", Config: "c", Generation: 1}, Operations: []Operation{o}, Rules: map[string]string{"crm": "1"}}
	}
	changes := map[string]func(*Plan){
		"value":       func(p *Plan) { p.Operations[0].Changes[0].After = connector.Values{"c"} },
		"grant":       func(p *Plan) { p.Operations[0].Grants[0].Remove = true },
		"kind":        func(p *Plan) { p.Operations[0].Kind = Enable },
		"account rev": func(p *Plan) { p.Operations[0].AccountRev++ },
		"park":        func(p *Plan) { p.Operations[0].Park = "wait" },
		"withdraw":    func(p *Plan) { p.Withdraw = []string{"x"} },
		"names":       func(p *Plan) { p.Names = []NameReservation{{}} },
		"rules":       func(p *Plan) { p.Rules["crm"] = "2" },
		"notes":       func(p *Plan) { p.Notes = []Note{{Code: "x"}} },
		"faults":      func(p *Plan) { p.Faults = []Note{{Code: "x"}} },
		"config":      func(p *Plan) { p.Inputs.Config = "d" },
		"generation":  func(p *Plan) { p.Inputs.Generation++ },
	}
	first := base()
	Seal(&first)
	seen := map[string]string{first.Hash: "nothing"}
	for name, change := range changes {
		p := base()
		change(&p)
		Seal(&p)
		require.NotContains(t, seen, p.Hash, "%s is not in the hash", name)
		seen[p.Hash] = name
	}
	same := base()
	same.Verdicts = []Verdict{{Text: "z"}}
	same.Inputs.Snapshot = "other"
	Seal(&same)
	require.Equal(t, first.Hash, same.Hash, "the guards' opinion and the order of the file are not what a plan does")
}

// A stored operation is the operation that was planned.
func TestOperationSurvivesJSON(t *testing.T) {
	s := subject(account(grants("old")), wanting(set("hired", "2026-03-31"), set("level", "3"), set("userName", "jane2"), "new"))
	before := *Diff(s, Policy{}, schema).Operation
	b, err := json.Marshal(before)
	require.NoError(t, err)
	var after Operation
	require.NoError(t, json.Unmarshal(b, &after))
	require.Equal(t, before, after)
}
