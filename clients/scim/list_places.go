package scim

// places is where a listing by index stands.
//
// A listing is no snapshot (RFC 7644 §3.4.2.4): when somebody before the next page
// is deleted, all that follow move up, and who was first on that page is passed over.
// So each page is asked to begin with what was read last. One that begins with
// something new is put aside, and the place to go on is searched: between low,
// where the target listed nothing but what was read, and high, where it began with
// something else.
//
//	read     ├──────────────┤
//	low            ├─────┤                nothing new: go on further back
//	wanted               ├─────┤          begins with what was read
//	high                    ├─────┤       who is before it? go on further in front
type places struct {
	start    int  // of what was not read yet, as the target counted when it was read
	at       int  // of the next request
	overlaps bool // the next page is to begin with something that was read
	apart    bool // pages that do not overlap were taken
	longest  int  // resources on a page

	low, high int // 0: not known
	lowFirst  uint64
	lowPage   int // which page of the listing told low
	step      int // of the search, while one of low and high is not known
	searched  int // requests that brought nothing new
}

// maxSearched bounds the requests that one listing makes to find its place again.
const maxSearched = 100

func firstPlace() places { return places{start: 1, at: 1, step: 1} }

// follow returns what is new on a page by index, and decides whether there is
// another one, and where.
func (l *listing) follow(found []any) []Resource {
	first := uint64(0)
	if len(found) > 0 {
		first = l.hash(object(found[0]))
	}
	l.longest = max(l.longest, len(found))
	if l.overlaps && l.at > 1 && !l.saw(first) {
		l.tooFar()
		return nil
	}
	fresh := l.fresh(found)
	switch {
	case l.lookup && l.total >= 0 && l.at+len(found) > l.total:
		l.more = false
	case len(fresh) > 0:
		l.advance(len(found))
	case len(found) == 0 || l.overlaps && len(found) == 1 && l.longest > 1 && 0 <= l.total && l.total <= l.at:
		l.more = false // nobody is behind what was read
	case !l.overlaps || l.low > 0 && l.lowFirst == first:
		l.repeats()
	default:
		l.tooNear(first)
	}
	return fresh
}

// advance goes on behind a page of so many resources. It does so past what the
// target counts, too: one that counts its page and not its resources would else
// look complete.
func (l *listing) advance(received int) {
	l.apart = l.apart || l.at > 1 && !l.overlaps
	l.start = l.at + received
	l.at, l.low, l.high, l.step = l.start, 0, 0, 1
	if l.overlaps = received > 1 && !l.apart; l.overlaps {
		l.at--
	}
}

// tooFar notes a page that does not begin with what was read.
func (l *listing) tooFar() {
	l.high = l.at
	switch {
	case l.low == 0 || l.high > l.low+1:
		l.findPlace()
	case l.lowPage == l.pages-1:
		// One place on, another page: the target counts in pages, or gives one at a time.
		l.at, l.overlaps, l.apart = l.start, false, true
	default:
		l.low, l.step = 0, 1 // what was there has moved since
		l.findPlace()
	}
}

// tooNear notes a page of nothing but what was read.
func (l *listing) tooNear(first uint64) {
	l.low, l.lowFirst, l.lowPage = l.at, first, l.pages
	if l.high == l.low+1 {
		l.high, l.step = 0, 1 // what was there may have moved since
	}
	l.findPlace()
}

// findPlace goes where the next page may begin with something that was read and
// still bring something new: first in steps that double, then halfway.
func (l *listing) findPlace() {
	switch l.searched++; {
	case l.searched > maxSearched:
		l.fault("the target's list changes faster than it can be read")
		l.more = false
	case l.low == 0:
		l.at, l.step = max(1, l.high-l.step), 2*l.step
	case l.high == 0:
		l.at, l.step = l.low+l.step, 2*l.step
	default:
		l.at = l.low + (l.high-l.low)/2
	}
}

// repeats ends the listing of a target that does not look at the place.
func (l *listing) repeats() {
	l.more, l.apart = false, true
	if l.total < 0 || l.p.TotalResults != TotalsTrusted {
		l.fault("the target repeats what it listed before")
	}
}
