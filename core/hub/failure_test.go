package hub

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
)

// What a node could not do is, to the command that asked, the error that it would have
// had itself.
func TestAFailureOfANodeKeepsItsKind(t *testing.T) {
	usage := &UsageError{"there is no source"}
	for _, err := range []error{
		fmt.Errorf("source hr: %w", usage),
		fmt.Errorf("source hr: %w: nobody of that name", ErrPushRequest),
		fmt.Errorf("plan 12: %w", store.ErrPlanState),
		errors.New("the disk is full"),
	} {
		got := failureOf(err.Error(), FailureCode(err))
		assert.EqualError(t, got, err.Error())
		for _, kind := range []error{ErrPushRequest, store.ErrPlanState} {
			assert.Equal(t, errors.Is(err, kind), errors.Is(got, kind), "%v: %v", err, kind)
		}
		var e *UsageError
		assert.Equal(t, errors.Is(err, usage), errors.As(got, &e), "%v", err)
	}
	require.EqualError(t, failureOf("of a newer version", "unheard"), "of a newer version")
}
