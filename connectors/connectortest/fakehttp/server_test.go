package fakehttp

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheAPI(t *testing.T) {
	s, err := New(Options{})
	require.NoError(t, err)
	defer s.Close()
	steps := []struct {
		call, body string
		status     int
		want       string
	}{
		{"GET /me", "", 200, "provhub fake API"},
		{"POST /users", `{"userName":"jdoe","externalId":"7","mail":"j@example.com"}`, 201, `"id":"1"`},
		{"POST /users", `{"userName":"JDOE"}`, 409, "another user has this userName"},
		{"POST /users", `{"userName":"other","externalId":"7"}`, 409, "externalId"},
		{"POST /users", `{"mail":"x"}`, 400, "userName is required"},
		{"POST /users", `{"userName":"zed","active":false}`, 201, `"id":"2"`},
		{"GET /users/1", "", 200, `"active":true`},
		{"GET /users/x", "", 404, "no such user"},
		{"PATCH /users/1", `{"mail":null,"active":false}`, 200, `{"active":false,"externalId":"7","id":"1","userName":"jdoe"}`},
		{"PATCH /users/2", `{"userName":"jdoe"}`, 409, "userName"},
		{"PATCH /users/2", `{`, 400, "no JSON"},
		{"GET /users?userName=JDoe", "", 200, `"users":[{"active":false,"externalId":"7"`},
		{"GET /users?externalId=8", "", 200, `"users":[]`},
		{"GET /users?after=1&limit=1", "", 200, `"userName":"zed"`},
		{"GET /users?after=x", "", 400, "numbers"},
		{"DELETE /users/1", "", 204, ""},
		{"DELETE /users/1", "", 404, "no such user"},
	}
	for _, step := range steps {
		status, body := call(t, s, s.NewToken(), step.call, step.body)
		assert.Equal(t, step.status, status, step.call)
		assert.Contains(t, body, step.want, step.call)
	}
	status, _ := call(t, s, "nonsense", "GET /users", "")
	assert.Equal(t, 401, status)

	objects, err := s.Objects(t.Context(), "user")
	require.NoError(t, err)
	require.Len(t, objects, 1)
	assert.Equal(t, "zed", objects[0].Attributes.Text("userName"))
	_, err = s.Objects(t.Context(), "group")
	require.ErrorContains(t, err, "group")
}

func call(t *testing.T, s *Server, token, what, body string) (status int, answer string) {
	t.Helper()
	method, path, _ := strings.Cut(what, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

func TestAnAddressThatIsTakenIsTold(t *testing.T) {
	s, err := New(Options{Tokens: []string{"one"}})
	require.NoError(t, err)
	defer s.Close()
	assert.Equal(t, s.Token(), s.NewToken())
	assert.Equal(t, map[string]any{"base_url": s.URL()}, s.Config())
	_, err = New(Options{Addr: strings.TrimPrefix(s.URL(), "http://")})
	require.ErrorContains(t, err, "fakehttp: ")
}
