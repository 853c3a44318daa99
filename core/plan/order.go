package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/provhub/provhub/core/identity"
)

// Seal puts p into its total order and names it: it sorts every list, sets the
// plan's hash from what the plan does, the operations' ids from the hash and
// their accounts, and writes the hash into the verdicts' texts. The order in
// which the lists were filled does not matter.
//
// Operations go by lane, then connector, then phase (groups are there before the
// people who are put in them, and go after them), then kind of identity and
// anchor.
func Seal(p *Plan) {
	slices.SortFunc(p.Operations, compareOperations)
	slices.Sort(p.Withdraw)
	slices.SortFunc(p.Names, func(x, y NameReservation) int {
		return cmp.Or(compareAccounts(x.AccountKey, y.AccountKey), cmp.Compare(x.Attribute, y.Attribute), cmp.Compare(x.Value, y.Value))
	})
	slices.SortFunc(p.Notes, compareNotes)
	slices.SortFunc(p.Faults, compareNotes)
	slices.SortFunc(p.Verdicts, func(x, y Verdict) int {
		return cmp.Or(cmp.Compare(x.Connector, y.Connector), cmp.Compare(x.Guarded, y.Guarded), cmp.Compare(x.Window, y.Window))
	})
	p.Hash = contentHash(p)
	for i := range p.Operations {
		p.Operations[i].ID = operationID(p.Hash, p.Operations[i].AccountKey)
	}
}

func compareOperations(x, y Operation) int {
	return cmp.Or(
		cmp.Compare(x.Lane, y.Lane),
		cmp.Compare(x.Connector, y.Connector),
		cmp.Compare(phase(&x), phase(&y)),
		compareAccounts(x.AccountKey, y.AccountKey),
	)
}

// phase says in which turn of its lane and connector op goes.
func phase(op *Operation) int {
	switch {
	case op.AccountKey.Kind != identity.Group:
		return 1
	case op.Kind == Delete || op.Kind == Disable:
		return 2
	}
	return 0
}

func compareAccounts(x, y identity.AccountKey) int {
	return cmp.Or(cmp.Compare(x.Connector, y.Connector), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Source, y.Source), cmp.Compare(x.Anchor, y.Anchor))
}

func compareNotes(x, y Note) int {
	return cmp.Or(compareAccounts(x.AccountKey, y.AccountKey), cmp.Compare(x.Code, y.Code), cmp.Compare(x.Text, y.Text))
}

// contentHash returns the hex SHA-256 of what the sorted plan p does. Each part
// is one line of JSON under a name of its own, so that no two plans write the same.
func contentHash(p *Plan) string {
	h := sha256.New()
	in := p.Inputs
	in.Snapshot = "" // the same people in another order are the same plan
	part(h, "inputs", in)
	for i := range p.Operations {
		op := p.Operations[i]
		op.ID = ""
		part(h, "operation", op)
	}
	part(h, "withdraw", p.Withdraw)
	part(h, "names", p.Names)
	part(h, "rules", p.Rules)
	part(h, "notes", p.Notes)
	part(h, "faults", p.Faults)
	return hex.EncodeToString(h.Sum(nil))
}

func part(h hash.Hash, name string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		// Only a value that convert lets through could fail here.
		panic(fmt.Sprintf("plan: %s cannot be hashed: %v", name, err))
	}
	fmt.Fprintf(h, "%s %d ", name, len(b))
	h.Write(b)
}

// operationID makes the id of the one operation on account in the plan called
// hash: a UUID of version 8 (RFC 9562 §5.8).
func operationID(hash string, account identity.AccountKey) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{hash, account.Source, account.Connector, string(account.Kind), account.Anchor}, "\x00")))
	u := uuid.UUID(sum[:16])
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return u.String()
}

func sortGrants(gs []identity.Grant) {
	slices.SortFunc(gs, func(x, y identity.Grant) int { return strings.Compare(x.Entitlement, y.Entitlement) })
}
