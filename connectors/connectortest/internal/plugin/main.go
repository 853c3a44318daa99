// Command plugin is the memory connector as a plugin with one defect, the one
// its file is named after: "plugin-A3" prints to stdout. It proves that the
// checks of processes find what they are there for.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/plugins/sdk"
)

func main() {
	_, defect, _ := strings.Cut(filepath.Base(os.Args[0]), "-")
	atStart(defect)
	d := *memory.Definition
	d.Open = func(ctx context.Context, config json.RawMessage, in connector.Instance) (connector.Target, error) {
		t, err := memory.Definition.Open(ctx, config, in)
		if err != nil {
			return nil, err
		}
		return wrap(defect, t.(*memory.Target)), nil
	}
	sdk.Serve(&d)
}

// atStart has the defects that show before the plugin serves.
func atStart(defect string) {
	switch defect {
	case "A2": // nothing is said, and it looks like success
		if os.Getenv(protocol.MagicCookieKey) == "" {
			os.Exit(0)
		}
	case "A4":
		if os.Getenv(protocol.MagicCookieKey) != "" {
			serveEverybody()
		}
	case "A5": // gives up without a word where it does not know a version
		if strings.Contains(os.Getenv("PLUGIN_PROTOCOL_VERSIONS"), "2") {
			os.Exit(1)
		}
	case "A6":
		_ = os.WriteFile("cache.tmp", nil, 0o600)
	case "A7":
		time.Sleep(1200 * time.Millisecond)
	case "A8": // the lifeline is not watched
		_ = os.Unsetenv(protocol.LifelineEnv)
	}
}

func wrap(defect string, t *memory.Target) connector.Target {
	switch defect {
	case "A3":
		return printing{t}
	case "G3":
		return forgetful{t}
	case "H4":
		return ownTokens{t}
	}
	return t
}

// printing writes to stdout.
type printing struct{ *memory.Target }

func (p printing) Create(ctx context.Context, c connector.Create) (connector.Ref, error) {
	fmt.Println("creating")
	return p.Target.Create(ctx, c)
}

// forgetful takes whatever an earlier process may have made for made.
type forgetful struct{ *memory.Target }

var mine sync.Map // idempotency keys of this process

func (f forgetful) Create(ctx context.Context, c connector.Create) (connector.Ref, error) {
	if !c.MaybeApplied {
		mine.Store(c.Key, true)
	}
	if _, known := mine.Load(c.Key); !known {
		return connector.Ref{Type: c.Type, ID: "of-another-life"}, connector.Unchanged
	}
	return f.Target.Create(ctx, c)
}

// ownTokens gives sync tokens that mean nothing to another process.
type ownTokens struct{ *memory.Target }

func (o ownTokens) prefix() string { return fmt.Sprintf("%d:", os.Getpid()) }

func (o ownTokens) List(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
	end, err := o.Target.List(ctx, q, yield)
	if end.SyncToken != nil {
		end.SyncToken = append([]byte(o.prefix()), end.SyncToken...)
	}
	return end, err
}

func (o ownTokens) Changes(ctx context.Context, q connector.ChangesQuery, yield func(connector.TargetChange) error) ([]byte, bool, error) {
	token, mine := strings.CutPrefix(string(q.SyncToken), o.prefix())
	if !mine {
		return q.SyncToken, true, nil
	}
	q.SyncToken = []byte(token)
	last, expired, err := o.Target.Changes(ctx, q, func(c connector.TargetChange) error {
		if c.SyncToken != nil {
			c.SyncToken = append([]byte(o.prefix()), c.SyncToken...)
		}
		return yield(c)
	})
	return append([]byte(o.prefix()), last...), expired, err
}
