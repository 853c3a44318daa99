package scim

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
)

// MemberChange adds a member to a group or removes it.
type MemberChange struct {
	ID      string // of the member
	Display string // its name, where the target wants one
	Remove  bool
}

// ChangeMembers adds and removes members of one group, in as few requests as the
// profile allows, and answers each change by its index; nil: done, or so already.
// Each member stands once. A member that the target refuses is found by bisection
// and harms no other: NOT_FOUND or INVALID_VALUE for it alone. DEPENDENCY_MISSING
// for all when the group does not exist, [connector.Unchanged] for removals then.
func (c *Client) ChangeMembers(ctx context.Context, group string, changes []MemberChange) []error {
	w := &memberWork{c: c, p: c.Profile(), group: group, changes: changes, answers: make([]error, len(changes))}
	if err := w.check(); err != nil {
		w.answer(w.all(), err)
		return w.answers
	}
	batches := w.split(w.all())
	for i, batch := range batches {
		if stop := w.try(ctx, batch); stop != nil {
			w.answer(slices.Concat(batches[i+1:]...), stop)
			break
		}
	}
	if w.p.BadMember == BadMemberIgnored {
		w.verify(ctx)
	}
	return w.answers
}

// MemberRequests returns the requests that ChangeMembers begins with.
func (c *Client) MemberRequests(group string, changes []MemberChange) ([]Request, error) {
	w := &memberWork{c: c, p: c.Profile(), group: group, changes: changes}
	if err := w.check(); err != nil {
		return nil, err
	}
	var out []Request
	for _, batch := range w.split(w.all()) {
		r, err := w.request(batch)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// memberWork is one change of a group under way. Batches hold indexes of changes.
type memberWork struct {
	c       *Client
	p       *Profile
	group   string
	changes []MemberChange
	answers []error
	exists  bool // the group was seen after an answer of 404
}

func (w *memberWork) all() []int {
	out := make([]int, len(w.changes))
	for i := range out {
		out[i] = i
	}
	return out
}

func (w *memberWork) answer(batch []int, err error) {
	for _, i := range batch {
		w.answers[i] = err
	}
}

// check finds what the profile does not allow.
func (w *memberWork) check() error {
	refuse := func(why string) error {
		return connector.Errorf(connector.CodeUnsupported, "profile %s: %s", w.p.Name, why)
	}
	switch {
	case !w.p.Can(GroupUpdate) || w.p.GroupUpdate == UpdateNone:
		return refuse("members of groups cannot be changed on this target (group_ops, group_update)")
	case w.p.GroupUpdate != UpdatePatch && w.p.MembersRead != MembersFull:
		return refuse("PUT would drop the members that cannot be read (group_update, members_read)")
	}
	if w.p.MemberDisplayRequired {
		for _, ch := range w.changes {
			if ch.Display == "" && !ch.Remove {
				return connector.Errorf(connector.CodeInvalidValue, "the target wants a display name for each member (profile %s, member_display_required)", w.p.Name)
			}
		}
	}
	return nil
}

// split cuts a batch to what one request may hold: removals first, because a mover
// loses before gaining.
func (w *memberWork) split(batch []int) [][]int {
	var out [][]int
	var adds, removes [][]int
	remove := func(i int) bool { return w.changes[i].Remove }
	removes = chunks(filter(batch, remove), w.removeMax())
	adds = chunks(filter(batch, func(i int) bool { return !remove(i) }), w.p.MemberAddMax)
	if w.p.MemberMix && len(removes) > 0 && len(adds) > 0 && w.fits(removes[len(removes)-1]) {
		last := len(removes) - 1
		out = append(out, removes[:last]...)
		out = append(out, slices.Concat(removes[last], adds[0]))
		return append(out, adds[1:]...)
	}
	return append(append(out, removes...), adds...)
}

// removeMax is how many members one request removes; 0: no limit.
func (w *memberWork) removeMax() int {
	n := w.p.MemberRemoveMax
	if w.p.MemberRemoveStyle == RemoveFilterPath && w.p.PatchMaxOps > 0 && (n == 0 || n > w.p.PatchMaxOps) {
		return w.p.PatchMaxOps
	}
	return n
}

// fits reports whether the operation that adds has room beside these removals.
func (w *memberWork) fits(removes []int) bool {
	ops := 1
	if w.p.MemberRemoveStyle == RemoveFilterPath {
		ops = len(removes)
	}
	return w.p.PatchMaxOps == 0 || ops < w.p.PatchMaxOps
}

func filter(batch []int, keep func(int) bool) []int {
	return slices.DeleteFunc(slices.Clone(batch), func(i int) bool { return !keep(i) })
}

func chunks(batch []int, size int) [][]int {
	if len(batch) == 0 {
		return nil
	}
	if size == 0 {
		size = len(batch)
	}
	return slices.Collect(slices.Chunk(batch, size))
}

// try sends a batch and answers its members. stop is set when nothing further must
// be sent, for the members that are left.
func (w *memberWork) try(ctx context.Context, batch []int) (stop error) {
	err := w.send(ctx, batch)
	if err == nil {
		w.answer(batch, nil)
		return nil
	}
	var f *Fault
	if !errors.As(err, &f) || !mayBeOneMember(f) {
		w.answer(batch, err)
		return notTried(err)
	}
	if f.Status == http.StatusNotFound && !f.HTML && !w.exists {
		if gone, err := w.isGone(ctx); gone || err != nil {
			w.withoutGroup(batch, err)
			return notTried(err)
		}
	}
	if len(batch) == 1 {
		w.answers[batch[0]] = w.single(ctx, batch[0], f, err)
		return nil
	}
	half := len(batch) / 2
	if stop := w.try(ctx, batch[:half]); stop != nil {
		w.answer(batch[half:], stop)
		return stop
	}
	return w.try(ctx, batch[half:])
}

// mayBeOneMember reports whether an answer may be about one member of many.
func mayBeOneMember(f *Fault) bool {
	switch f.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusRequestEntityTooLarge:
		return true
	}
	return f.Class == ClassSplit
}

// notTried is err for members that were not sent at all: failed, never in doubt.
func notTried(err error) error {
	if err == nil {
		return nil
	}
	e := *connector.AsError(err)
	return &e
}

// isGone reports whether the group does not exist.
func (w *memberWork) isGone(ctx context.Context) (bool, error) {
	if !w.p.Can(GroupRead) {
		return false, nil
	}
	_, err := w.c.Get(ctx, Groups, w.group, Selection{Excluded: []string{"members"}})
	switch {
	case err == nil:
		w.exists = true
	case connector.IsCode(err, connector.CodeNotFound):
		return true, nil
	}
	return false, err
}

// withoutGroup answers a batch whose group does not exist, or could not be looked up.
func (w *memberWork) withoutGroup(batch []int, err error) {
	for _, i := range batch {
		switch {
		case err != nil:
			w.answers[i] = notTried(err)
		case w.changes[i].Remove:
			w.answers[i] = connector.Unchanged
		default:
			w.answers[i] = connector.Errorf(connector.CodeDependencyMissing, "the group does not exist")
		}
	}
}

// single answers the one member that the target refuses. Some targets refuse what
// is so already: then it is done.
func (w *memberWork) single(ctx context.Context, i int, f *Fault, err error) error {
	ch := w.changes[i]
	has, asked := w.c.HasMember(ctx, w.group, ch.ID)
	switch {
	case asked == nil && has != ch.Remove:
		return connector.Unchanged
	case ch.Remove && asked != nil && (f.Class == ClassCheckDone || f.Status == http.StatusNotFound):
		return connector.Unchanged // nobody can be asked; there was nothing to remove
	case f.Status == http.StatusNotFound:
		e := *connector.AsError(err)
		e.Code, e.Message = connector.CodeNotFound, "the target does not know this member: "+e.Message
		return &e
	}
	return err
}

// verify asks whether members were really added, on a target that says yes to what
// it does not know.
func (w *memberWork) verify(ctx context.Context) {
	is := func(id string) (bool, error) { return w.c.HasMember(ctx, w.group, id) }
	if w.p.MembersRead == MembersFull { // one reading tells of all
		shown, err := w.c.memberIDs(ctx, w.group)
		if err != nil {
			return
		}
		is = func(id string) (bool, error) { return shown[id], nil }
	}
	for i, ch := range w.changes {
		if ch.Remove || w.answers[i] != nil {
			continue
		}
		if has, err := is(ch.ID); err == nil && !has {
			w.answers[i] = connector.Errorf(connector.CodeNotFound, "the target took the member and does not have it: it does not know it")
		}
	}
}
