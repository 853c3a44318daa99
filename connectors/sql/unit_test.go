package sql

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

func TestLanesKeepOrder(t *testing.T) {
	op := func(id, order, group string) connector.Operation {
		return connector.Delete{Call: connector.Call{ID: id, OrderingKey: order, Group: group}}
	}
	var got []string
	for _, lane := range lanes([]connector.Operation{op("1", "a", ""), op("2", "b", "g"), op("3", "a", ""), op("4", "b", "g"), op("5", "", ""), op("6", "", ""), op("7", "b", "h")}) {
		text := ""
		for _, u := range lane {
			text += "["
			for _, o := range u.ops {
				text += o.Meta().ID
			}
			text += "]"
		}
		got = append(got, text)
	}
	require.Equal(t, []string{"[1][3]", "[24][7]", "[5]", "[6]"}, got)
}

// Create, update and disable of one account in one batch, each alone: in order.
func TestOrderWithinABatch(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		var ops []connector.Operation
		for i := range 20 {
			login := fmt.Sprintf("user%02d", i)
			call := func(n string) connector.Call { return connector.Call{ID: login + n, OrderingKey: login} }
			c := create("", login)
			c.Call = call("c")
			ops = append(ops, c, connector.Update{Call: call("u"), Target: user(login), Changes: []connector.Change{replace("displayName", "Renamed")}},
				connector.SetEnabled{Call: call("d"), Target: user(login)})
		}
		for _, r := range apply(t, target, ops...) {
			require.Nil(t, r.Err)
			require.Equal(t, connector.OutcomeApplied, r.Outcome)
		}
		require.Equal(t, "20", s.text("SELECT COUNT(*) FROM app_user WHERE name = 'Renamed' AND active = false"))
	})
}

// QUIRKS SQL-8: where "" is NULL, the two are no difference.
func TestEmptyIsNull(t *testing.T) {
	oracle := &column{attr: "note", typ: connector.TypeString, caseExact: true, emptyIsNull: true, Column: dialect.Column{Name: "note", Type: connector.TypeString}}
	require.True(t, oracle.identical("", nil))
	v, err := oracle.encodeAll(connector.Values{""})
	require.NoError(t, err)
	require.Nil(t, v)
	other := *oracle
	other.emptyIsNull = false
	require.False(t, other.identical("", nil))
	v, err = other.encodeAll(connector.Values{""})
	require.NoError(t, err)
	require.Equal(t, "", v)
}

// QUIRKS SQL-13: whatever goes wrong, no value, password or connection string
// shows in an answer or in the log, not even at debug.
func TestNothingPersonalInErrorsAndLogs(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		app(s)
		s.exec("INSERT INTO app_user (login, mail) VALUES ('holder', 'canary@example.org')",
			"CREATE TABLE checked (login varchar(40) NOT NULL PRIMARY KEY, age int, CONSTRAINT grown CHECK (age > 17))")
		var log bytes.Buffer
		opened, err := Definition.Open(context.Background(), json.RawMessage(appConfig), connector.Instance{
			Secrets: map[string]connector.Secret{"dsn": connector.NewSecret(s.dsn)},
			Log:     slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		require.NoError(t, err)
		target := opened.(*Target)
		defer target.Close(context.Background())
		checked := s.target(`{"users": {"table": "checked", "key": "login"}}`)

		results := apply(t, target, create("1", "canary1", "mail", "canary@example.org"), create("2", "canary2", "mail", "canary"+string(make([]byte, 200))),
			create("3", "", "mail", "canary3"), connector.Update{Call: id("4"), Target: user("canary4"), Changes: []connector.Change{replace("mail", "canary5")}},
			connector.Grant{Call: id("5"), Principal: user("canary6"), Entitlement: role("reader")})
		results = append(results, one(t, checked, connector.Create{Call: id("6"), Type: "user", Attributes: attrs("login", "canary7", "age", int64(3))}))
		_, err = target.Get(context.Background(), user("canary8"), nil)
		for _, r := range results {
			require.Equal(t, connector.OutcomeFailed, r.Outcome)
			out, jsonErr := json.Marshal(r.Err)
			require.NoError(t, jsonErr)
			if r.Err.Conflicting == nil { // names the row in the way, for the hub
				require.NotContains(t, string(out), "canary")
			}
			require.NotContains(t, r.Err.Error()+r.Err.Detail, "canary")
		}
		require.NotContains(t, err.Error(), "canary")
		require.NotContains(t, log.String(), "canary")
		require.NotContains(t, log.String(), "provhub-test")
	})
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		app(s)
		require.NoError(t, s.db.Ping())
		before := goleak.IgnoreCurrent()
		target := openTarget(t, appConfig, s.dsn)
		mustApply(t, target, create("1", "jdoe"))
		listAll(t, target, connector.ListQuery{Type: "user"})
		require.NoError(t, target.Close(context.Background()))
		goleak.VerifyNone(t, before)
	})
}

// Several batches want the same accounts at the same time: each account is made
// once, and every other try is told that it exists.
func TestStorm(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target := app(s)
		const tries, accounts = 6, 60
		results := make([][]connector.Result, tries)
		var wg sync.WaitGroup
		for n := range tries {
			wg.Go(func() {
				var ops []connector.Operation
				for i := range accounts {
					login := fmt.Sprintf("user%02d", (i+n*7)%accounts)
					name := fmt.Sprintf("%d-%s", n, login)
					c := create("", login, "employeeNumber", "E"+login)
					c.Call = group(name, 2, "create")
					ops = append(ops, c, connector.Grant{Call: group(name, 2, "grant"), Principal: user(login), Entitlement: role("reader")})
				}
				results[n] = target.ApplyBatch(context.Background(), ops)
			})
		}
		wg.Wait()
		made := 0
		for _, rs := range results {
			for _, r := range rs {
				switch r.Outcome {
				case connector.OutcomeApplied:
					made++
				default:
					require.Contains(t, []connector.Code{connector.CodeAlreadyExists, connector.CodeBusy}, r.Err.Code, r.Err.Message)
				}
			}
		}
		require.Equal(t, 2*accounts, made)
		require.Equal(t, fmt.Sprint(accounts), s.text("SELECT COUNT(*) FROM app_user"))
		require.Equal(t, fmt.Sprint(accounts), s.text("SELECT COUNT(*) FROM app_user_role"))
		require.Equal(t, fmt.Sprint(2*accounts), s.text("SELECT COUNT(*) FROM app_history"))
	})
}
