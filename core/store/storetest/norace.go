//go:build !race

package storetest

// raced: the race detector looks on.
const raced = false
