// Package faultproxy is a TCP proxy that lets the connections through it down,
// in the ways that networks and servers do.
//
//	p := faultproxy.New()
//	defer p.Close()
//	address, err := p.Front("127.0.0.1:389") // connect here in place of there
//	…                                        // all is well so far
//	p.Arm(faultproxy.Fault{Kind: faultproxy.LoseReply, Nth: 2})
//	…                                        // the second reply never comes
//	p.Heal()
//
// It works on bytes, so that it serves any protocol, TLS included: an exchange
// is a run of bytes from the client and the run from the server that follows
// it. Only [Status] needs plain HTTP, and [BadCertificate] TLS (from the start
// or after a STARTTLS) or SSH.
package faultproxy
