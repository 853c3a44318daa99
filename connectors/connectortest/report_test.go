package connectortest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
)

var someReport = Report{Connector: "acme", Version: "1.2.3", Took: 1500 * time.Millisecond, Outcomes: []Outcome{
	{Host: "process", ID: "E1", Title: "what was created is read back", Status: Pass, Took: time.Millisecond},
	{Host: "process", ID: "E3", Title: "creating what exists", Status: Failed, Reason: "want failed, got applied", Trace: []string{"create user a → applied"}, Log: "line <1>\n"},
	{Host: "process", ID: "E12", Title: "a credential", Status: Skipped, Reason: "the sandbox has no policy"},
}}

func TestReportAsTable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, someReport.Write(&b, "table"))
	assert.Equal(t, `ok    E1   process  what was created is read back
FAIL  E3   process  creating what exists
skip  E12  process  a credential  (the sandbox has no policy)

E3 creating what exists: want failed, got applied
the last operations:
  create user a → applied
the plugin's log:
  line <1> (process)
repeat it with: --only E3

acme 1.2.3: 1 passed, 1 failed, 1 skipped in 1.5s
`, b.String())
	assert.True(t, someReport.Failed())
	assert.ErrorContains(t, someReport.Write(&b, "html"), "known are table, json, junit")
}

func TestReportForMachines(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, someReport.Write(&b, "json"))
	var back Report
	require.NoError(t, json.Unmarshal(b.Bytes(), &back))
	assert.Equal(t, someReport, back)

	b.Reset()
	require.NoError(t, someReport.Write(&b, "junit"))
	var suite junitSuite
	require.NoError(t, xml.Unmarshal(b.Bytes(), &suite))
	assert.Equal(t, []int{3, 1, 1}, []int{suite.Tests, suite.Failures, suite.Skipped})
	assert.Contains(t, suite.Cases[1].Failure.Text, "line <1>")
	assert.Equal(t, "the sandbox has no policy", suite.Cases[2].Skipped.Message)
}

func TestATargetIsReadFromAFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	write("token", "s3cret\n")
	t.Setenv("PROVHUB_TEST_WRONG", "nonsense")
	target, end, err := LoadTarget(write("testkit.yaml", `
config: {baseURL: "http://127.0.0.1:1", pageSize: 5}
secrets: {token: {file: token}}
wrong_secrets: {token: {env: PROVHUB_TEST_WRONG}}
values: {user.country: [DE, FR], mail: ["kit-%d@example.com"]}
faults: {hang: {baseURL: "http://127.0.0.1:2"}}
delay: 20ms
skip: {E12: "no policy"}
`), "./acme")
	require.NoError(t, err)
	defer end()
	assert.JSONEq(t, `{"baseURL":"http://127.0.0.1:1","pageSize":5}`, string(target.Config), "keys as they are written")
	assert.Equal(t, "s3cret", target.Secrets["token"].Reveal())
	assert.Equal(t, "nonsense", target.WrongSecrets["token"].Reveal())
	assert.Contains(t, target.Faults, Hang)
	assert.Equal(t, "./acme", target.Binary)
	require.NoError(t, target.check())

	for text, want := range map[string]string{
		"faults: {hung: {}}":                       `"hung" is not a fault`,
		"confg: {}":                                "confg",
		"secrets: {a: {env: NOT_THERE}}":           "the environment variable NOT_THERE is not set",
		"secrets: {a: {file: none}}":               "secret a",
		"fake: htp":                                `there is no fake "htp"; there are http, ldap, scim, sftp, sqlite`,
		"fake: {kind: sqlite, schema: x}":          "x: no such file",
		"{fake: http, config: {a: '${fake.uri}'}}": `"${fake.uri}" stands for nothing; there are fake.new_token, fake.token, fake.url, kit.folder, kit.temporary, other.new_token`,
	} {
		_, _, err := LoadTarget(write("bad.yaml", text), "./acme")
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "bad.yaml")
	}
}

func TestWhatCannotBeTestedIsAnError(t *testing.T) {
	_, err := Suite(t.Context(), Target{}, Options{})
	require.ErrorContains(t, err, "without a definition and without a binary")
	_, err = Suite(t.Context(), Target{Definition: memory.Definition, Skip: map[string]string{"E99": "x"}}, Options{})
	require.ErrorContains(t, err, `"E99"`)
	_, err = Suite(t.Context(), Target{Binary: "/does/not/exist"}, Options{})
	require.ErrorContains(t, err, "does not exist")
}

func TestSuiteRunsWhatIsAskedForAndSkipsWithAReason(t *testing.T) {
	var told []string
	report, err := Suite(t.Context(), Target{Definition: memory.Definition, Skip: map[string]string{"E2": "not today"}},
		Options{Quick: true, Only: []string{"E1", "E2", "D", "C1"}, Progress: func(o Outcome) { told = append(told, o.Row()) }})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"skip\tC1\tin-process\ttwo instances do not see each other's objects  (the target names no second target that shares nothing with it)",
		"ok\tD1\tin-process\tthe schema is coherent, and the same twice",
		"ok\tD2\tin-process\teverything that is returned fits the schema",
		"ok\tE1\tin-process\twhat was created is read back with equal values",
		"skip\tE2\tin-process\trequired attributes suffice, and each is insisted on  (not today)",
	}, told)
	assert.Equal(t, "memory", report.Connector)
	assert.False(t, report.Failed())
}

// A target with as little as a target can have is skipped where it must be, by
// declared capability, and fails nothing.
func TestATargetThatOnlyCreates(t *testing.T) {
	def := connector.Define(connector.Spec[struct{}]{Type: "drop-box", DisplayName: "Drop box", Version: "0.1.0", Open: openDropBox})
	report, err := Suite(t.Context(), Target{Definition: def}, Options{Quick: true})
	require.NoError(t, err)
	for _, o := range report.Outcomes {
		assert.NotEqual(t, Failed, o.Status, o.explain())
		if o.Status == Skipped {
			assert.NotEmpty(t, o.Reason)
		}
	}
	assert.Greater(t, report.Count(Skipped), 10)
	assert.Greater(t, report.Count(Pass), 10)
}
