package connectortest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
	"github.com/provhub/provhub/plugins/sdk"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

const memoryToken = "t0ken-Qx7-memory"

// memoryTarget describes the memory connector with all its faults. Its objects
// are in a journal, so that they outlive a process.
func memoryTarget(t testing.TB) Target {
	t.Helper()
	dir := t.TempDir()
	config := func(journal string, faults ...memory.Fault) json.RawMessage {
		sums := []string{}
		for _, token := range []string{memoryToken, memoryToken + "-new"} {
			sum := sha256.Sum256([]byte(token))
			sums = append(sums, hex.EncodeToString(sum[:]))
		}
		b, err := json.Marshal(memory.Config{MinPassword: 8, Journal: filepath.Join(dir, journal), Tokens: sums, Faults: faults})
		require.NoError(t, err)
		return b
	}
	const delay = 20 * time.Millisecond
	token := func(s string) map[string]connector.Secret {
		return map[string]connector.Secret{"token": connector.NewSecret(s)}
	}
	write := []string{"write"}
	released, err := sdk.NewServer(memory.Definition).Describe(t.Context(), &pluginv1.DescribeRequest{})
	require.NoError(t, err)
	lastRelease, err := proto.Marshal(released)
	require.NoError(t, err)
	return Target{
		OlderConfigs: map[int]json.RawMessage{1: config("objects")}, LastRelease: lastRelease,
		Config: config("objects"), Secrets: token(memoryToken), WrongSecrets: token("wrong-" + memoryToken), NewSecrets: token(memoryToken + "-new"),
		Other: config("others"), Durable: true, WeakPassword: "short", Delay: delay,
		Faults: map[Fault]json.RawMessage{
			LostReply:    config("objects", memory.Fault{Do: memory.LoseReply, Calls: []string{"create"}, Nth: 1, PerOperation: true}),
			Hang:         config("objects", memory.Fault{Do: memory.Hang, Calls: write}),
			Slow:         config("objects", memory.Fault{Do: memory.Slow, Calls: write, Wait: connector.Duration(delay)}),
			Reset:        config("objects", memory.Fault{Do: memory.Fail, Calls: write, Times: 1}),
			RateLimited:  config("objects", memory.Fault{Do: memory.Fail, Calls: write, Code: "RATE_LIMITED", RetryAfter: connector.Duration(7 * time.Second)}),
			Busy:         config("objects", memory.Fault{Do: memory.Fail, Calls: write, Code: "BUSY"}),
			Down:         config("objects", memory.Fault{Do: memory.Fail}),
			Truncated:    config("objects", memory.Fault{Do: memory.Truncate, Calls: []string{"list"}}),
			Panics:       config("objects", memory.Fault{Do: memory.Panic, Calls: write}),
			ExpiredToken: config("objects", memory.Fault{Do: memory.Expire, Calls: []string{"changes"}}),
		},
	}
}

func TestMemoryConforms(t *testing.T) {
	target := memoryTarget(t)
	target.Definition = memory.Definition
	target.Binary = filepath.Join(t.TempDir(), "provhub-connector-memory")
	build(t, "../../plugins/provhub-connector-memory", target.Binary)
	Run(t, target)
}

func build(t testing.TB, pkg, to string) {
	t.Helper()
	out, err := exec.Command("go", "build", "-o", to, pkg).CombinedOutput()
	require.NoError(t, err, string(out))
}
