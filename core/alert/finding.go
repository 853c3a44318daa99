// Package alert tells people that something is wrong: once when it begins, again while it
// lasts, and when it is over.
//
//	vitals, plugins, nodes ──► Judge ──► findings ──► weigh ──► alerts and notices, in one commit
//	                                                              │
//	                              webhooks, mail ◄── deliver ◄────┘ again until it was told
//
// One node judges what is in the database, each node the plugins that it runs. What was
// told is in the state, so that neither a restart nor another node tells it twice. A
// notice is told at least once; its id is the same each time.
//
// Texts hold names of the config, counts and times, and what the hub says of itself: no
// people, and no values.
package alert

import "time"

// Condition is a sort of thing that can be wrong.
type Condition string

// The conditions.
const (
	SourceSilent         Condition = "source.silent"         // not read with success for long
	SourceFailing        Condition = "source.failing"        // the last reading failed, as when a file is missing
	SourceHeld           Condition = "source.held"           // a reading waits for a person
	PlanHeld             Condition = "plan.held"             // a plan waits for a person
	LeaverParked         Condition = "leaver.parked"         // who left still has access, and a person has to act
	LeaverLate           Condition = "leaver.late"           // who left still has access after a while
	ConnectorStopped     Condition = "connector.stopped"     // nothing is sent before a person acts
	ConnectorUnusable    Condition = "connector.unusable"    // its plugin does not start, or finds no target
	ConnectorQuarantined Condition = "connector.quarantined" // too many operations fail
	ConnectorDown        Condition = "connector.down"        // its target does not answer
	ConnectorSilent      Condition = "connector.silent"      // there is work, and none of it is done
	QueueOld             Condition = "queue.old"             // operations wait for long
	PluginCrashing       Condition = "plugin.crashing"       // it dies again and again
	NodeGone             Condition = "node.gone"             // it stopped without a word
	AuditBroken          Condition = "audit.broken"          // somebody changed the audit trail
)

// Severity says how soon somebody is to look.
type Severity string

// The severities.
const (
	Warning  Severity = "warning"  // in the hours of work
	Critical Severity = "critical" // now
)

// Finding is something that is wrong now.
type Finding struct {
	Condition Condition
	Subject   string
	Severity  Severity
	// Summary is one plain sentence, Do what is to be done, Page the path of the page that
	// shows more.
	Summary, Do, Page string
	// Since is when it began; zero: that is not known.
	Since time.Time
	// Wait is how long it has to be seen before people are told; 0: not at all.
	Wait time.Duration
}
