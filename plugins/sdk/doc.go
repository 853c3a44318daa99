// Package sdk serves any connector as a plugin process of provhub.
//
//	func main() { sdk.Serve(acme.Definition) }
//
// The author of a connector writes one call to the target and returns what
// happened. The SDK does the rest: the handshake and mutual TLS, checking the
// config, order per account, the limit of calls under way, deadlines, panics,
// grouping and batching, collecting answers, taking secrets out of logs and
// errors, health, draining, and leaving when the hub is gone.
//
// How one operation goes through:
//
//	Apply stream ─► engine ─► unit: one operation, or a whole group
//	                  │         waits for the rest of its group, then for its
//	                  │         turn among those with the same ordering key
//	                  ▼
//	                call ─► connector ─► result ─► outbox ─► Apply stream
//	                  │
//	                  └ the time limit ends it: unknown, TIMEOUT
//
// Every operation is answered exactly once, whatever the connector does.
package sdk
