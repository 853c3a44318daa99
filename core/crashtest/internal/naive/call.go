package naive

import (
	"os"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Call is one write that began: a line of the file of calls, written before
// anything else is done.
type Call struct {
	At time.Time `json:"at"`
	// Node is the process number of who sent it: the parent of the plugin.
	Node      int            `json:"node"`
	Verb      connector.Verb `json:"verb"`
	Operation string         `json:"operation"`
}

// Calls returns the calls in the file at path since offset from, and moves from on.
func Calls(path string, from *int64) ([]Call, error) { return lines[Call](path, from) }

// begin notes that a write begins, where the config has a file for that.
func (t *target) begin(op connector.Operation) error {
	if t.cfg.Calls == "" {
		return nil
	}
	file, err := os.OpenFile(t.cfg.Calls, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	return write(file, Call{At: time.Now(), Node: t.node, Verb: op.Verb(), Operation: op.Meta().ID})
}
