// Package protocol carries the contract of connectors/connector over gRPC: the
// handshake between the hub and a plugin process, the limits of the wire, and
// the conversion of every message in both directions, in this one place.
//
// Two rules make a plugin of another version, or one written in another
// language, safe to talk to:
//
//	an outcome that is not known here    reads as unknown
//	an error code that is not known      keeps its number, so its range decides
//
// What comes from the other side is never trusted to be complete: no message,
// however wrong, makes a conversion panic.
package protocol
