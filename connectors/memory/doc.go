// Package memory is a target that keeps its objects in memory: people, groups
// and roles with the rules a real directory has (required and unique
// attributes, references, versions, a password policy). It implements
// everything a connector can, and fails on request in every way a hub must
// survive.
//
// With a journal, every effect is one line of JSON appended to a file before
// the answer leaves, so that nothing is lost when the process is killed, the
// state is there again at the next start, and a test can count to the last one
// what really happened. Faults come from the config, or from a control file
// that is read again before every call.
package memory
