// Package helpdesk says in plain sentences what became of operations: what happened,
// what it means for the person, what to do and who does it. Command line, JSON and
// pages say the same. It is pure: it reads no state and no clock.
package helpdesk
