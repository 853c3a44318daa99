// Package crashtest kills the hub and its plugins at every border of an
// operation's life and at every commit, starts them again, and counts what
// really happened to the target. It holds tests only.
//
//	parent (go test) ── starts ──► hub (this binary again) ── starts ──► plugin
//	       │                        dies at commit N, or                  dies before or
//	       │                        while an effect is under way          after effect N
//	       └─ reads the target's journal and the hub's state: nothing lost, nothing
//	          done twice, the ledger is what the target holds, nothing left to plan
package crashtest
