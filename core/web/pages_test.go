package web

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/provhub/provhub/core/signin"
)

func TestPages(t *testing.T) {
	l := newLab(t)
	b := l.as(signin.Admin)
	for _, p := range []string{"/", "/connectors/crm", "/sources/hr", "/people", "/plans", "/plans/" + l.held().Hash, "/runs", "/audit"} {
		text := b.ok(p)
		assert.Contains(t, text, "</html>", p)
	}
}
