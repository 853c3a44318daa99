// Package ldap speaks LDAP (RFC 4511) the way connectors and source readers
// need it, on top of go-ldap:
//
//   - names and filters are built from typed parts ([DN], [Filter]), never by
//     putting text together;
//
//   - connections are encrypted (ldaps or StartTLS) and checked, with no way
//     back to plain text that nobody asked for; several operations are under way
//     on each of a few connections ([Client]);
//
//   - listings stream in pages and say whether they are complete ([Client.List]);
//
//   - a failure is an error of the contract, and says what it left behind:
//
//     not sent                              failed, UNAVAILABLE
//     sent, no answer, a search             failed, UNAVAILABLE or TIMEOUT
//     sent, no answer, a write              unknown: the hub looks before it goes on
//     a result code                         failed, with the code it stands for
//     bind refused                          AUTHENTICATION for the whole instance, and no
//     further bind until somebody acts: each one brings the service account
//     nearer to being locked
//
// A call is one attempt. Nothing here waits and tries again. Binds are simple
// or SASL EXTERNAL (RFC 4422, appendix A); GSSAPI is not offered.
package ldap
