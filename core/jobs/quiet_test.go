package jobs

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInformationOfTheQueueIsForDebugging(t *testing.T) {
	var out bytes.Buffer
	at := func(level slog.Level) *slog.Logger {
		out.Reset()
		return slog.New(quieter{slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level})}).With("room", "jobs")
	}
	log := at(slog.LevelInfo)
	log.Info("reindexed")
	require.Empty(t, out.String())
	log.Warn("slow")
	require.Contains(t, out.String(), "level=WARN msg=slow room=jobs")
	at(slog.LevelDebug).Info("reindexed")
	require.Contains(t, out.String(), "level=DEBUG msg=reindexed room=jobs")
}
