package protocol

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var errNotUTF8 = errors.New("text is not UTF-8")

// checkText refuses what protobuf cannot carry in a string field. One such
// string would end the whole stream with all that is under way on it.
func checkText(ss ...string) error {
	for _, s := range ss {
		if !utf8.ValidString(s) {
			return errNotUTF8
		}
	}
	return nil
}

// prose makes text for people safe for the wire. Data goes through checkText
// instead: it must not be altered.
func prose(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func prosaic(ss []string) []string {
	if len(ss) == 0 {
		return nil
	}
	out := make([]string, len(ss))
	for i, s := range ss {
		out[i] = prose(s)
	}
	return out
}

func attributeError(name string, err error) error {
	return fmt.Errorf("attribute %s: %w", prose(name), err)
}

// toProtoDuration leaves out zero: 0 and unset mean the same in every message.
func toProtoDuration(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

// fromProtoDuration saturates a length that a [time.Duration] cannot hold.
func fromProtoDuration(p *durationpb.Duration) time.Duration { return p.AsDuration() }

func toProtoTime(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// fromProtoTime reads unset and out of range as the zero time.
func fromProtoTime(p *timestamppb.Timestamp) time.Time {
	if p == nil || !p.IsValid() {
		return time.Time{}
	}
	return p.AsTime()
}
