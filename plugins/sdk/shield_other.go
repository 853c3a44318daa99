//go:build !linux

package sdk

// shield has no counterpart here.
func shield() {}
