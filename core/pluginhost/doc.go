// Package pluginhost finds, verifies, starts, watches and restarts the
// processes that connector plugins run in, and carries operations to them.
//
// # One instance
//
// An [Instance] is one configured connector with one process of its own.
//
//	      Start
//	        │
//	        ▼        binary is not the pinned one
//	┌► starting ────────────────────────────────► quarantined
//	│       │ hashed, launched, Describe
//	│       ▼
//	│  configuring
//	│       │ Configure, DiscoverSchema, Apply stream
//	│       ▼          Stop              answered, or the grace is over
//	│     ready ─────────────► draining ─────────────────────► stopped
//	│       │  │                                                ▲  ▲
//	│       │  └─ not needed, or too large: drained ──► idle ───┘  │
//	│       │                                            │  Stop   │
//	├───────┼─────────────── a call needs it ◄───────────┘         │
//	│       │                                                      │
//	│       │ process ended · stream broke · frozen · stuck        │
//	│       ▼                                                      │
//	└── backoff ───────────────────────────────────────────────────┘
//	                               Stop
//
// From starting and configuring a failure leads back to backoff, except at the
// first start, whose error goes to the caller of [Start]. The waits grow from
// half a second to a minute and never end; after five quiet minutes they begin
// anew. Every end that nobody asked for leaves an [Incident].
//
// A plugin or a config is replaced side by side: start the new instance, hand
// calls to it, then stop the old one with a grace. An exclusive plugin
// ([connector.Capabilities]) is stopped first.
//
// # One operation
//
// Each operation given to [Instance.Apply] is answered exactly once, and the
// answer says what is known of the target:
//
//	submitted ──► waiting ──► sent ──► answered by the plugin      its outcome
//	    │            │          ├────► the process or stream ends  unknown
//	    │            │          └────► its time is up, cancelled   unknown
//	    │            ├───────────────► the process or stream ends  failed, not sent
//	    │            └───────────────► the caller gives up         cancelled, not sent
//	    └────────────────────────────► no process, throttled       failed, not sent
//
// At most a window of operations (64, more where the plugin works on more at once) is sent and unanswered, which bounds what
// is in doubt after a crash. Operations that were under way at a crash are sent
// one at a time from then on; one that the plugin dies of three times alone is
// not sent any more.
//
// # What go-plugin does, and what it does not
//
// hashicorp/go-plugin does the handshake, mutual TLS with throw-away keys and
// the gRPC connection. The rest is done here, since go-plugin 1.8.0 lets one
// log line or one handshake line of a plugin end the host, waits for ever for
// a frozen process, leaves a plugin's children behind, and hashes a path that
// it executes later:
//
//   - The binary is opened once, hashed, and that descriptor is executed.
//   - The process has a group of its own, a lifeline to the hub, an environment
//     by allow-list, no stdin, and a private folder that is removed afterwards.
//   - AutoMTLS is always on; go-plugin's log is off and the raw lines are parsed
//     here; messages are bounded at 16 MiB.
//   - Secrets leave the hub in Configure and RotateSecrets alone, after the
//     plugin has said that it is the pinned one.
//   - A stop is bounded: drain, exit, SIGKILL of the whole group.
//   - No GRPCBroker and no reattach.
//
// # Which binary
//
// A [Catalog] resolves a connector type to a binary. Nothing is run because it
// lies somewhere: it is pinned by hash in plugins.lock ([Lock]), or named as a
// dev override.
package pluginhost
