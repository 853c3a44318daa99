package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// A page whose database is away for a moment is shown all the same; one that cannot be
// shown says why, to people in a sentence, and to the log with the cause.
func TestADatabaseThatIsAway(t *testing.T) {
	l := bareLab(t, "")
	away := fmt.Errorf("read operations in postgres://db: %w: broken pipe", store.ErrUnreachable)
	for name, test := range map[string]struct {
		errs   []error
		method string
		status int
		says   string
	}{
		"away for a moment":  {[]error{away}, http.MethodGet, http.StatusOK, "it is there"},
		"away":               {[]error{away, away}, http.MethodGet, http.StatusServiceUnavailable, "The database does not answer at the moment."},
		"slow":               {[]error{context.DeadlineExceeded}, http.MethodGet, http.StatusServiceUnavailable, "took too long"},
		"broken":             {[]error{errors.New("no such column: x")}, http.MethodGet, http.StatusInternalServerError, "Something went wrong."},
		"a press is not two": {[]error{away}, http.MethodPost, http.StatusServiceUnavailable, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			s := &site{hub: l.hub, log: slog.New(slog.NewTextHandler(&log, nil)), now: l.hub.Now, desk: signin.New(l.hub.State(), signin.Options{Now: l.hub.Now})}
			var err error
			s.pages, err = parsePages()
			require.NoError(t, err)
			asked := 0
			h := s.signedIn(route{"GET /x", signin.See, func(s *site, v *visit) error {
				if asked++; asked <= len(test.errs) {
					return test.errs[asked-1]
				}
				return s.page(v, "problem", "There", problem{What: "it is there"})
			}})
			req := httptest.NewRequestWithContext(t.Context(), test.method, l.URL+"/x", nil)
			for _, c := range l.as(signin.Viewer).Jar.Cookies(req.URL) {
				req.AddCookie(c)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			assert.Equal(t, test.status, w.Code)
			assert.Contains(t, w.Body.String(), test.says)
			if test.status != http.StatusOK {
				assert.Contains(t, log.String(), "level=ERROR")
				assert.Contains(t, log.String(), test.errs[len(test.errs)-1].Error(), "the log says why")
			}
		})
	}
}
