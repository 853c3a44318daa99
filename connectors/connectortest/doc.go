// Package connectortest is the conformance suite for connectors: what every
// connector must do, as checks that anyone can run.
//
//	func TestConformance(t *testing.T) {
//		connectortest.Run(t, connectortest.Target{
//			Definition: memory.Definition,
//			Config:     json.RawMessage(`{}`),
//		})
//	}
//
// The checks speak the plugin protocol, so that they are the same in-process
// and through the plugin's own process, and for a plugin in any language. Their
// data comes from the schema that the plugin discovers.
//
//	A package and process    D schema         G faults
//	B describe and config    E writes         H reads
//	C instances and secrets  F the stream     I hygiene
//
// What can go wrong between plugin and target is made by a proxy, for which the
// suite rewrites the option of the config that is marked as the endpoint (see
// package faultproxy); a target can give configs of its own for it.
//
// A check that does not apply is skipped, with the reason: a capability that the
// connector does not declare, or something the [Target] does not give. A check
// that fails tells the operations it sent, their results and the plugin's log.
package connectortest
