package faultproxy

import "time"

// Kind names what goes wrong.
type Kind string

// The kinds of faults.
const (
	// None: bytes pass as they are.
	None Kind = ""
	// Refuse: open connections break, new ones are refused.
	Refuse Kind = "refuse"
	// Reset: open connections break, and new ones before a byte has passed.
	Reset Kind = "reset"
	// Delay: what the client sends arrives Wait later.
	Delay Kind = "delay"
	// Hang: connections are accepted, what the client sends goes nowhere.
	Hang Kind = "hang"
	// LoseReply: the Nth exchange from now on reaches the server, which has all
	// the time it needs; its reply is thrown away and the connection broken.
	LoseReply Kind = "lose reply"
	// CutReply: After bytes of what the server sends pass on each connection,
	// then it breaks.
	CutReply Kind = "cut reply"
	// Status: HTTP requests are answered with Status and RetryAfter.
	Status Kind = "status"
	// BadCertificate: TLS handshakes are answered with a certificate that nobody
	// vouches for, SSH handshakes with a host key that nobody knows.
	BadCertificate Kind = "bad certificate"
)

// Fault is what goes wrong with the connections of a proxy.
type Fault struct {
	Kind       Kind
	Nth        int           // LoseReply: from 1
	After      int64         // CutReply: bytes
	Wait       time.Duration // Delay
	Status     int           // Status: such as 429
	RetryAfter time.Duration // Status: whole seconds; 0: not told
	// Times is how often Reset strikes new connections; 0: always.
	Times int
}

// Stats count what went through a proxy.
type Stats struct {
	Connections int   // accepted since the start
	Up, Down    int64 // bytes from clients, and from servers
	// Struck is how often the present fault, or the last, has taken effect.
	Struck int
	// TLS, SSH and HTTP: such a handshake, or a request in clear, came by.
	TLS, SSH, HTTP bool
	// Trusted is how many clients went on after a handshake with BadCertificate.
	Trusted int
	// Sighted is how often a watched text came by in clear since the last Watch.
	Sighted int
}
