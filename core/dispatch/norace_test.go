//go:build !race

package dispatch

// raced: the race detector looks on.
const raced = false
