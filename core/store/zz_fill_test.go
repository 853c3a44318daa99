package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store/storetest"
	"os"
)

func TestZZFill(t *testing.T) {
	u := os.Getenv("ZZ_URL")
	storetest.Open(t, u)
	require.NoError(t, storetest.FillQueue(t.Context(), u, storetest.LargeQueue))
}
