package store

import "time"

// Handed says who handed an operation to the operators of the hub, and why.
type Handed struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Note string    `json:"note"`
}
