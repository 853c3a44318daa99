// Package crashtest kills the hub and its plugins at every border of an
// operation's life and at every commit, starts them again, and counts what
// really happened to the target. It holds tests only.
//
//	parent (go test) ── starts ──► hub (this binary again) ── starts ──► plugin
//	       │                        dies at commit N, or                  dies before or
//	       │                        while an effect is under way          after effect N
//	       └─ reads the target's journal and the hub's state: nothing lost, nothing
//	          done twice, the ledger is what the target holds, nothing left to plan
//
// TestNetwork leaves the processes alive and fails the network between plugins and
// real servers instead: OpenLDAP, a SCIM service, PostgreSQL and OpenSSH.
//
// For longer: go test ./core/crashtest -run TestRounds -rounds 200; with the seed
// that it prints (-seed) the same changes and kills come again.
package crashtest
