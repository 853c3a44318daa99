// Package dispatch carries out the operations of one connector.
//
//	lease ─► references ─► commit `sent` ─► steps ─► classify ─► finish
//	(batch)  (the ledger)  (batch)          (the     (what now)  (batch: outcome,
//	                                         target)              account, audit)
//
// An operation is one account's intent. It is carried out as ordered [Step]s,
// the verbs of the protocol; which of them are left follows from the operation
// and the ledger alone, so that a retry, a restart and a lookup all go on where
// the target last confirmed something ([Steps]).
//
// Retry lives here and nowhere else. What happens after an answer is one table
// ([Classify]); what is in doubt is settled by looking ([Settle]).
package dispatch
