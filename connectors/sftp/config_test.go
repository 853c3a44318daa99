package sftp

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
)

// Every fault of a config is found offline, where it is, with what to do.
func TestValidate(t *testing.T) {
	good := people("/s").with(settings{"host": "h", "user": "u", "host_keys": []string{"SHA256:" + strings.Repeat("a", 43)}})
	require.Empty(t, Definition.Validate(good.json(t)))
	id := settings{"name": "employeeNumber"}
	state := settings{"kind": "state", "header": "s"}
	for path, change := range map[string]settings{
		"/host_keys":           {"host_keys": nil},
		"/host_keys/0":         {"host_keys": []string{"any"}},
		"/jump/host_keys":      {"jump": settings{"host": "j", "user": "u"}},
		"/folder":              {"folder": "../x"},
		"/file/name":           {"file": settings{"name": "a/b"}},
		"/file/delimiter":      {"file": settings{"name": "f", "delimiter": ",,"}},
		"/file/time_zone":      {"file": settings{"name": "f", "time_zone": "Mars/Base"}},
		"/file/trailer":        {"file": settings{"name": "f", "trailer": "{nonsense}"}},
		"/key":                 {"key": "EmployeeNumber"},
		"/columns/1/header":    {"columns": []settings{id, {"name": "x", "header": "employeenumber"}, state}, "groups": nil},
		"/columns/1/name":      {"columns": []settings{id, {"header": "x"}, state}, "groups": nil},
		"/columns/1/format":    {"columns": []settings{id, {"name": "x", "format": "YYYY"}, state}, "groups": nil},
		"/columns/1/false":     {"columns": []settings{id, {"name": "x", "type": "bool", "true": "1", "false": "1"}, state}, "groups": nil},
		"/columns/1/separator": {"columns": []settings{id, {"name": "x", "multi": true, "separator": ""}, state}, "groups": nil},
		"/columns/1/kind":      {"columns": []settings{id, {"kind": "action", "header": "x"}, state}, "groups": nil},
		"/columns":             {"mode": "delta"},
		"/on_disable":          {"columns": []settings{id}, "groups": nil},
		"/on_delete":           {"columns": []settings{id}, "groups": nil, "on_disable": "remove", "on_delete": "mark"},
		"/manifest":            {"manifest": "{file}"},
		"/done":                {"done": "x/y"},
		"/memberships":         {"groups": nil, "columns": []settings{id, state}, "memberships": settings{"name": "m"}},
		"/groups":              {"columns": []settings{id, state}},
		"/groups/type":         {"groups": settings{"type": "user"}},
		"/publish/within":      {"publish": settings{"after": "1m", "within": "1s"}},
		"/shrink/max_percent":  {"shrink": settings{"max_percent": 101}},
		"/acks/name":           {"acks": settings{"folder": "/a", "name": "ack"}},
		"/acks/status":         {"acks": settings{"folder": "/a", "name": "{file}.a", "key": "k"}},
		"/acks/key":            {"acks": settings{"folder": "/a", "name": "{file}.a", "lists": "errors"}},
		"/acks/file/delimiter": {"acks": settings{"folder": "/a", "name": "{file}.a", "file": settings{"delimiter": "ab"}}},
		"/pgp/recipients":      {"pgp": settings{"recipients": []string{}}},
	} {
		t.Run(path, func(t *testing.T) {
			fs := Definition.Validate(good.with(change).json(t))
			var paths []string
			for _, f := range fs {
				paths = append(paths, f.Path)
				require.NotEmpty(t, f.Detail, "%s says what to do", f.Path)
			}
			require.Contains(t, paths, path, "%v", fs)
		})
	}
}

// What is wrong with keys, secrets and folders of this machine shows when the
// connector is opened.
func TestOpen(t *testing.T) {
	s := server(t)
	for says, tt := range map[string]struct {
		change  settings
		secrets map[string]connector.Secret
	}{
		"no way to log in":                 {},
		"private key cannot be read":       {secrets: map[string]connector.Secret{"private_key": connector.NewSecret("junk")}},
		"pgp_private_key is missing":       {change: settings{"pgp": settings{"recipients": []string{"/no/such"}, "sign": true}}, secrets: secretsOf(s)},
		"pgp: open /no/such":               {change: settings{"pgp": settings{"recipients": []string{"/no/such"}}}, secrets: secretsOf(s)},
		"name one with its whole path":     {change: settings{"state": "relative"}, secrets: secretsOf(s)},
		"no folder of the connector's own": {change: settings{"state": nil}, secrets: secretsOf(s)},
	} {
		_, err := Definition.Open(context.Background(), people(t.TempDir()).with(at(s)).with(tt.change).json(t), connector.Instance{Secrets: tt.secrets})
		require.ErrorContains(t, err, says)
		require.True(t, connector.IsCode(err, connector.CodeConfiguration))
	}
	in := connector.Instance{Secrets: secretsOf(s), DataDir: t.TempDir()}
	x, err := Definition.Open(context.Background(), people("").with(at(s)).with(settings{"state": nil}).json(t), in)
	require.NoError(t, err)
	require.NoError(t, x.(*Target).Close(context.Background()))
}

// Check tells where it ends, step by step.
func TestCheckSteps(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults []fakesftp.Fault
		change settings
		step   int
		status connector.CheckStatus
		code   connector.Code
	}{
		{name: "all is well", step: 4, status: connector.CheckPass},
		{name: "no such folder", change: settings{"folder": "/nowhere"}, step: 2, status: connector.CheckFail, code: connector.CodeConfiguration},
		{name: "no folder of the receiver's", change: settings{"receiver": settings{"folders": []string{"/nowhere"}}}, step: 2, status: connector.CheckFail, code: connector.CodeConfiguration},
		{name: "not allowed to look", faults: []fakesftp.Fault{{On: "opendir", Do: fakesftp.Refuse, Code: 3}}, step: 2, status: connector.CheckFail, code: connector.CodePermission},
		{name: "no login", change: settings{"user": "stranger"}, step: 0, status: connector.CheckFail, code: connector.CodeAuthentication},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := server(t, tt.faults...)
			x := target(t, people(t.TempDir()).with(at(s)).with(tt.change), secretsOf(s))
			steps, product := x.CheckSteps(context.Background())
			require.Len(t, steps, 5)
			require.Equal(t, tt.status, steps[tt.step].Status, "%v", steps[tt.step])
			for i, st := range steps {
				if i < tt.step {
					require.Equal(t, connector.CheckPass, st.Status)
				} else if i > tt.step {
					require.Equal(t, connector.CheckSkipped, st.Status)
				}
			}
			if tt.status == connector.CheckFail {
				require.Equal(t, tt.code, steps[tt.step].Err.Code)
				require.Error(t, x.Check(context.Background()))
				return
			}
			require.Equal(t, "SSH-2.0-fakesftp", product)
			require.Empty(t, s.FS.Names(), "it changes nothing")
		})
	}
}

func TestPreview(t *testing.T) {
	s := server(t)
	x := target(t, people(t.TempDir()).with(at(s)), secretsOf(s))
	must(t, x, create("1", "7", "Zoë"))
	text, err := x.Preview(context.Background(), rename("2", "7", "Zoe"))
	require.NoError(t, err)
	var got map[string]string
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	require.Equal(t, map[string]string{"Folder": "/outgoing", "File": "people_{seq:4}.csv", "Mode": "full", "Action": "update"}, got)
	_, err = x.Preview(context.Background(), create("3", "7", "Zoë"))
	require.True(t, connector.IsCode(err, connector.CodeAlreadyExists))
}
