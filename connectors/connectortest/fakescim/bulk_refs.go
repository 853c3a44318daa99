package fakescim

import (
	"net/http"
	"strings"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// resolvable reports whether everything is there that an operation refers to.
func resolvable(m map[string]any, made map[string]string) bool {
	uses := false
	_, err := resolveRefs(map[string]any{"data": field(m, "data"), "path": field(m, "path")}, made, &uses)
	return err == nil
}

// resolveRefs puts ids in the place of "bulkId:…" (RFC 7644 §3.7.2).
func resolveRefs(v any, made map[string]string, uses *bool) (any, error) {
	switch x := v.(type) {
	case string:
		at := strings.Index(x, "bulkId:")
		if at < 0 || at > 0 && x[at-1] != '/' {
			return x, nil
		}
		*uses = true
		id, ok := made[x[at+len("bulkId:"):]]
		if !ok {
			return nil, &schema.Error{Status: http.StatusConflict, Detail: "there is no resource " + x[at:]}
		}
		return x[:at] + id, nil
	case []any:
		out := make([]any, len(x))
		for i := range x {
			y, err := resolveRefs(x[i], made, uses)
			if err != nil {
				return nil, err
			}
			out[i] = y
		}
		return out, nil
	case map[string]any:
		out := map[string]any{}
		for k := range x {
			y, err := resolveRefs(x[k], made, uses)
			if err != nil {
				return nil, err
			}
			out[k] = y
		}
		return out, nil
	}
	return v, nil
}
