// Package scim provisions accounts and groups through a product's own SCIM 2.0
// service (RFC 7643, RFC 7644).
//
// What a product does differently is data: the dialect profile named by the
// config ([scim.Profile] of clients/scim) says which filters work, which form a
// PATCH takes, what a delete does. The connector reads it, and what the service
// tells of itself, into a model of the object types; everything else follows
// from that model.
//
//	operation ─► model ─► intent on SCIM paths ─► clients/scim ─► request in the dialect
//	                                                   │
//	result ◄─ outcome by verb ◄─ object ◄─ decode ◄────┘
//
// Grants of one group that come at the same time go out together, within the
// limits of the profile, and each is answered for itself (merge.go).
package scim
