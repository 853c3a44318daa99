// Package scim speaks SCIM 2.0 (RFC 7643, RFC 7644, RFC 9865) to targets that
// each do so in their own way.
//
// What a target does differently is data: a [Profile], loaded by name or from a
// file, with the origin of each value. The [Client] makes the requests that the
// profile asks for, one attempt each, and returns failures in the codes of
// [github.com/provhub/provhub/connectors/connector]: what a status means depends
// on the kind of request and is decided in one place ([Class]).
package scim
