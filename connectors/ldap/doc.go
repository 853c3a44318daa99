// Package ldap is the connector for directories: OpenLDAP, 389 Directory Server,
// Active Directory and other LDAPv3 servers.
//
// What a directory product is like is data (schemas/ldap); what the site wants is
// config. An account is named by the id that the directory gave its entry
// (entryUUID, objectGUID): that never changes, while names and places do. Every
// write reads the entry first, by that id, and changes only what differs.
//
// Reads of entries by id, and changes of one group's members, are gathered: while
// a request is under way the next ones wait together and go out in one. Each is
// still answered for itself.
package ldap
