package memory

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// token names a point in the history.
func (s *Store) token(n int) []byte { return fmt.Appendf(nil, "%s:%d", s.epoch, n) }

// since is the inverse of token; ok is false for a token of another history.
func (s *Store) since(token []byte) (n int, ok bool) {
	epoch, digits, _ := strings.Cut(string(token), ":")
	n, err := strconv.Atoi(digits)
	return n, err == nil && epoch == s.epoch && n >= 0 && n <= len(s.effects)
}

// Changes implements [connector.Follower].
func (t *Target) Changes(ctx context.Context, q connector.ChangesQuery, yield func(connector.TargetChange) error) (token []byte, expired bool, err error) {
	fs, err := t.begin(ctx, occasion{call: callChanges})
	if err != nil {
		return nil, false, err
	}
	if _, ok := schema.Type(q.Type); !ok {
		return nil, false, connector.Errorf(connector.CodeInvalidValue, "there is no object type %q", q.Type)
	}
	if _, ok := find(fs, Expire); ok {
		return nil, true, nil
	}
	token = q.SyncToken
	for {
		changes, next, news, ok, err := t.changesSince(q.Type, token)
		if err != nil || !ok {
			return nil, !ok, err
		}
		for _, c := range changes {
			if err := yield(c); err != nil {
				return token, false, err
			}
		}
		token = next
		if !q.Follow {
			return token, false, nil
		}
		select {
		case <-news:
		case <-time.After(pollJournal): // another process may have written
		case <-ctx.Done():
			return token, false, ctx.Err()
		}
	}
}

// pollJournal is how often a follower looks for what other processes did.
const pollJournal = 200 * time.Millisecond

// changesSince returns what happened to objects of a type after token; an empty
// token means now.
func (t *Target) changesSince(typ string, token []byte) (cs []connector.TargetChange, next []byte, news chan struct{}, ok bool, err error) {
	err = t.store.do(func(tx *tx) error {
		s := tx.s
		from := len(s.effects)
		ok, news, next = true, s.news, s.token(from)
		if len(token) > 0 {
			if from, ok = s.since(token); !ok {
				return nil
			}
		}
		for i, e := range s.effects[from:] {
			if e.Type != typ {
				continue
			}
			c := connector.TargetChange{Ref: connector.Ref{Type: e.Type, ID: e.ID, Name: e.Key}, SyncToken: s.token(from + i + 1)}
			if e.After != nil {
				obj := s.show(e.After, nil)
				c.Object, c.Ref = &obj, obj.Ref
			}
			if e.Was != "" {
				cs = append(cs, connector.TargetChange{Ref: connector.Ref{Type: e.Type, ID: e.Was}, SyncToken: s.token(from + i)})
			}
			cs = append(cs, c)
		}
		return nil
	})
	return cs, next, news, ok, err
}
