// Package fakeldap is an LDAP v3 server for tests: in this process, over real
// TCP and TLS, able to behave like OpenLDAP, 389 Directory Server or Active
// Directory, and to go wrong on demand.
//
//	s, err := fakeldap.New(fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
//	defer s.Close()
//	clear := s.Inject(fakeldap.Fault{Kind: fakeldap.DropAfterWrite, Times: 1})
//	… // point a client at s.URL(), with s.CAFile(dir) as its authority
//	entry, ok := s.Entry("uid=jane,ou=people,dc=example,dc=org")
//
// What the server knows is held in memory and readable past the protocol: entries
// as copies ([Server.Entries]), who can sign in ([Server.CheckPassword]), what was
// asked ([Server.Requests]) and how often ([Server.Stats]). Somebody else's
// changes are made with [Server.Rename], [Server.Set] and [Server.Remove].
//
// It speaks RFC 4511 with the controls and extended operations that a
// provisioning client needs (see the root DSE), enforces a schema, and keeps the
// links between entries. Its OpenLDAP flavor is held against a real slapd by a
// differential test. It is no directory for production: no access rules beyond
// administrator, user and anonymous, and nothing on disk.
package fakeldap
