// Package signin knows who may use the pages and what they may do: local users with
// passwords, people an identity provider vouches for, sessions and roles.
package signin

import "slices"

// Role is what somebody is to the pages.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"   // sees how things stand, nobody's data
	Helpdesk Role = "helpdesk" // helps people: sees their data, mends failed operations
	Operator Role = "operator" // runs the hub: steers connectors, decides about plans
	Admin    Role = "admin"    // everything
	Auditor  Role = "auditor"  // sees everything, does nothing
)

// Roles lists all roles, the weakest first.
var Roles = []Role{Viewer, Helpdesk, Operator, Admin, Auditor}

// Right is one thing that may be allowed.
type Right string

// The rights.
const (
	// See is to see how connectors, sources, plans, runs and the queue stand.
	See Right = "see"
	// People is to see values of people's attributes: persons, diffs, operations.
	People Right = "people"
	// Mend is to retry, edit, skip and hand over operations that failed.
	Mend Right = "mend"
	// MendMany is to end many failed operations at once without doing them.
	MendMany Right = "mend many"
	// Steer is to pause and resume connectors, and to have sources read and targets
	// reconciled now.
	Steer Right = "steer"
	// Decide is to approve and reject plans that a guard holds.
	Decide Right = "decide"
	// Audit is to read the audit trail, and to see who may sign in.
	Audit Right = "audit"
	// Admit is to say who may sign in, and as what.
	Admit Right = "admit"
)

// granted says what each role may do. It is the only place that does.
var granted = map[Role][]Right{
	Viewer:   {See},
	Helpdesk: {See, People, Mend},
	Operator: {See, People, Mend, MendMany, Steer, Decide},
	Admin:    {See, People, Mend, MendMany, Steer, Decide, Audit, Admit},
	Auditor:  {See, People, Audit},
}

// Known reports whether r is one of [Roles].
func (r Role) Known() bool { return slices.Contains(Roles, r) }

// May reports whether somebody with this role may do what right says. An unknown role
// may do nothing.
func (r Role) May(right Right) bool { return slices.Contains(granted[r], right) }
