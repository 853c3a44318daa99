package pluginhost

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func TestAnActionRunsInThePluginAndReportsOnItsWay(t *testing.T) {
	in := startConfig(t, memoryConfig(t, `{"min_password":3}`))
	require.Len(t, in.Describe().Actions, 2)
	var last connector.Progress
	result, err := in.Invoke(t.Context(), "probe", json.RawMessage(`{"write":true}`), func(p connector.Progress) { last = p })
	require.NoError(t, err)
	assert.Contains(t, string(result), `"min_password":3`)
	assert.EqualValues(t, 3, last.Total, "progress")
}

func TestAnActionThatDoesNotWorkSaysWhatHappened(t *testing.T) {
	for _, tt := range []struct {
		name, config, action, args string
		limit                      time.Duration
		code                       connector.Code
		says                       string
	}{
		{"there is none of that name", `{}`, "prob", "", time.Minute, connector.CodeUnsupported, "it has probe, empty"},
		{"wrong arguments", `{}`, "empty", `{"typ":"user"}`, time.Minute, connector.CodeInvalidValue, "typ is not an argument"},
		{"the target refuses", `{"faults":[{"do":"fail","calls":["invoke"],"code":"PERMISSION","message":"not you"}]}`, "probe", "", time.Minute, connector.CodePermission, "not you"},
		{"the process dies", `{"faults":[{"do":"crash","calls":["invoke"]}]}`, "probe", "", time.Minute, connector.CodeUnavailable, "the plugin stopped before it answered"},
		{"the target hangs", `{"faults":[{"do":"hang","calls":["invoke"]}]}`, "probe", "", 100 * time.Millisecond, connector.CodeTimeout, "time"},
		{"the connector ignores its deadline", `{"faults":[{"do":"freeze","wait":"1s","calls":["invoke"]}]}`, "probe", "", 100 * time.Millisecond, connector.CodeTimeout, "time"},
		{"the connector panics", `{"faults":[{"do":"panic","calls":["invoke"]}]}`, "probe", "", time.Minute, connector.CodeInternal, "panicked in action probe"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := startConfig(t, memoryConfig(t, tt.config))
			ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
			defer cancel()
			_, err := in.Invoke(ctx, tt.action, json.RawMessage(tt.args), nil)
			var e *connector.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tt.code, e.Code, e.Message)
			assert.Contains(t, e.Message, tt.says)
		})
	}
}

func TestAPluginBuiltWithoutActionsIsUnsupported(t *testing.T) {
	in, _ := started(t)
	_, err := in.Invoke(t.Context(), "probe", nil, nil)
	assert.True(t, connector.IsCode(err, connector.CodeUnsupported), "%v", err)
}

// An instance that rests wakes for an action, and does not go to rest under it.
func TestAnActionKeepsThePluginAwake(t *testing.T) {
	cfg := memoryConfig(t, `{"faults":[{"do":"slow","wait":"300ms","calls":["invoke"]}]}`)
	cfg.IdleAfter = 50 * time.Millisecond
	in := startConfig(t, cfg)
	eventually(t, "it rests", func() bool { return in.Health().State == StateIdle })
	_, err := in.Invoke(t.Context(), "probe", nil, nil)
	assert.NoError(t, err)
}

func TestStoppingEndsAnAction(t *testing.T) {
	in := startConfig(t, memoryConfig(t, `{"faults":[{"do":"hang","calls":["invoke"]}]}`))
	ended := make(chan error, 1)
	begun := make(chan struct{})
	go func() {
		close(begun)
		_, err := in.Invoke(context.Background(), "probe", nil, nil)
		ended <- err
	}()
	<-begun
	stopped(t, in)
	assert.Error(t, <-ended)
}
