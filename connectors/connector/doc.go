// Package connector is the contract between provhub and a target system.
//
// A connector author implements [Target] and whichever of the optional
// interfaces the target can do: [Creator], [Updater], [Enabler], [Deleter],
// [Granter], [Credentialer], [Renamer], [Getter], [Lister], [Batcher] …
// Capabilities follow from what is implemented; there are no flags.
//
// The hub owns retries, order, idempotency and secrets; a connector owns one
// attempt. It makes one call to the target and returns what happened:
//
//	outcome  what happened to the target   applied, unchanged, failed, unknown …
//	code     why; its number range says what the hub does next (see [Code])
//
// Every write is repeatable: the same [Call.Key] again does not do it twice,
// a create with [Call.MaybeApplied] looks before it writes, and deleting what
// is gone succeeds as [Unchanged].
//
// The package imports the standard library only, so that a connector builds
// without the hub.
package connector
