package cycle

import (
	"hash/maphash"

	"github.com/provhub/provhub/core/identity"
)

// index knows who is present: for each identity a 128-bit fingerprint of kind
// and anchor, the hash of its content, and marks. It holds a million identities
// in some fifty megabytes, because it never holds an anchor.
//
// It is a table with open addressing, in shards, so that growing never copies
// more than a small part.
type index struct {
	seeds  map[identity.Kind][2]maphash.Seed
	shards [shardCount]shard
	used   int
}

const shardCount = 256

// marks say what is known of an identity.
type marks uint8

const (
	markUsed    marks = 1 << iota // the slot is taken
	markStored                    // the store has it as present
	markSeen                      // the reading has it
	markStaged                    // the reading has it new or changed
	markDouble                    // the reading has it more than once
	markFaulted                   // the reading has it, and it could not be used
)

type shard struct {
	slots []slot
	marks []marks
	used  int
}

type slot struct {
	key  fingerprint
	hash identity.Hash
}

type fingerprint [2]uint64

// newIndex makes an index with room for n identities.
func newIndex(n int) *index {
	x := &index{seeds: map[identity.Kind][2]maphash.Seed{}}
	for _, k := range []identity.Kind{identity.Person, identity.Group} {
		x.seeds[k] = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	}
	if n > 0 {
		// A shard's share varies; a sixteenth more is enough for nearly all.
		each := n/shardCount + n/shardCount/16 + 8
		for i := range x.shards {
			x.shards[i].resize(each * 4 / 3)
		}
	}
	return x
}

// find returns the identity's content hash and its marks, which the caller may
// change until the next call; an identity not met before is put in with the zero
// hash and no marks but markUsed.
func (x *index) find(kind identity.Kind, anchor string) (*identity.Hash, *marks) {
	s := x.seeds[kind]
	return x.at(fingerprint{maphash.String(s[0], anchor), maphash.String(s[1], anchor)})
}

// findBytes is find for an anchor that is not text yet.
func (x *index) findBytes(kind identity.Kind, anchor []byte) (*identity.Hash, *marks) {
	s := x.seeds[kind]
	return x.at(fingerprint{maphash.Bytes(s[0], anchor), maphash.Bytes(s[1], anchor)})
}

func (x *index) at(f fingerprint) (*identity.Hash, *marks) {
	s := &x.shards[f[1]%shardCount]
	i := s.place(f)
	if i < 0 || s.marks[i] == 0 {
		if s.used+s.used/4 >= len(s.slots) { // four fifths are full
			s.resize(len(s.slots) + len(s.slots)/2 + 8)
			i = s.place(f)
		}
		s.slots[i].key, s.marks[i] = f, markUsed
		s.used++
		x.used++
	}
	return &s.slots[i].hash, &s.marks[i]
}

// place returns the slot that f is in, or the free one where it goes; -1 when
// there are no slots at all.
func (s *shard) place(f fingerprint) int {
	if len(s.slots) == 0 {
		return -1
	}
	i := int(f[0] % uint64(len(s.slots)))
	for s.marks[i] != 0 && s.slots[i].key != f {
		if i++; i == len(s.slots) {
			i = 0
		}
	}
	return i
}

func (s *shard) resize(n int) {
	old := *s
	s.slots, s.marks = make([]slot, n), make([]marks, n)
	for i, m := range old.marks {
		if m != 0 {
			j := s.place(old.slots[i].key)
			s.slots[j], s.marks[j] = old.slots[i], m
		}
	}
}

// count returns how many identities have all of the marks in with and none of
// those in without.
func (x *index) count(with, without marks) int {
	n := 0
	for i := range x.shards {
		for _, m := range x.shards[i].marks {
			if m != 0 && m&with == with && m&without == 0 {
				n++
			}
		}
	}
	return n
}
