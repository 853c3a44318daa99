// Package fakescim is a SCIM 2.0 service provider for tests: a real HTTPS server
// in this process with Users and Groups in memory (RFC 7643, RFC 7644, RFC 9865).
//
//	s, err := fakescim.New(fakescim.Options{Profile: profile})
//	defer s.Close()
//	… a client talks to s.URL() with s.Token() …
//	s.Users()            // what the target holds now, past the protocol
//	s.Log()              // which requests came
//	s.Arm(fakescim.Fault{Name: fakescim.CreateThen504, Times: 1})
//
// With a dialect profile it keeps to what the profile says of the product: which
// filters work, how long a page is, what a PATCH looks like, what a DELETE does.
// A request outside the dialect is refused as the product would refuse it. A key
// of the profile whose value is the root profile's default restricts nothing: the
// server then does what the RFCs say.
package fakescim
