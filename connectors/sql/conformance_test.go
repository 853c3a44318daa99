package sql

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest"
)

const conformanceUsers = `"users": {"table": "%TABLE%", "key": "login", "id": "id", "version": "rev",
	"columns": [{"name": "userName", "column": "login"}, {"name": "mail"}, {"name": "displayName", "column": "name"}, {"name": "employeeNumber", "column": "employee_no"}],
	"enabled": {"column": "active"}},
	"groups": [{"type": "role", "kind": "group", "table": "app_role", "key": "code", "id": "id", "columns": [{"name": "code"}],
		"join": {"table": "%TABLE%_role", "user_column": "user_id", "group_column": "role_id"}}],
	"statements": {"set_credential": [{"sql": "UPDATE %TABLE% SET password = :credential WHERE id = :id"}]}`

func conformanceConfig(table, more string) json.RawMessage {
	return json.RawMessage("{" + more + strings.ReplaceAll(conformanceUsers, "%TABLE%", table) + "}")
}

// The suite that every connector passes, on every database; SQLite through the
// plugin's process too.
func TestConformance(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		s.exec(`CREATE TABLE app_role (id {id}, code varchar(80) NOT NULL UNIQUE)`)
		for _, table := range []string{"app_user", "other_user"} {
			s.exec("CREATE TABLE "+table+` (id {id}, login varchar(80) NOT NULL UNIQUE, mail varchar(120) UNIQUE, name varchar(80),
				employee_no varchar(80) UNIQUE, password varchar(80), active {bool} NOT NULL DEFAULT true, rev {ref} NOT NULL DEFAULT 1)`,
				"CREATE TABLE "+table+"_role (user_id {ref} NOT NULL REFERENCES "+table+" (id), role_id {ref} NOT NULL REFERENCES app_role (id), PRIMARY KEY (user_id, role_id))")
		}
		revise(s, "app_user")
		target := connectortest.Target{
			Definition: Definition, Config: conformanceConfig("app_user", ""), Other: conformanceConfig("other_user", ""),
			Secrets: dsnSecret(s.dsn), Durable: true,
			Login: func(_ context.Context, o connector.Object, password string) (bool, error) {
				return s.text("SELECT password FROM app_user WHERE id = "+o.Ref.ID) == password, nil
			},
		}
		if s.name != "sqlite" {
			target.WrongSecrets = dsnSecret(strings.Replace(s.dsn, "provhub-test", "wrong-Qx7", 1))
			target.NewSecrets = dsnSecret(s.dsn + map[string]string{"postgres": "&application_name=rotated", "mysql": "?timeout=5s"}[s.name])
		} else {
			target.Binary = filepath.Join(t.TempDir(), "provhub-connector-sql")
			out, err := exec.Command("go", "build", "-o", target.Binary, "../../plugins/provhub-connector-sql").CombinedOutput()
			require.NoError(t, err, string(out))
		}
		if s.name == "postgres" {
			target.Delay = 20 * time.Millisecond
			target.Faults = map[connectortest.Fault]json.RawMessage{
				connectortest.Busy: faulty(s, "busy", "RAISE SQLSTATE '40001'"),
				connectortest.Hang: faulty(s, "hang", "PERFORM pg_sleep(3600)"),
				connectortest.Slow: faulty(s, "slow", "PERFORM pg_sleep(0.02)"),
			}
		}
		connectortest.Run(t, target)
	})
}

// faulty is the config of a view on the same users whose trigger misbehaves.
func faulty(s *server, name, body string) json.RawMessage {
	view := name + "_user"
	s.exec("CREATE VIEW "+view+" AS SELECT * FROM app_user", "CREATE FUNCTION "+name+`() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN `+body+`;
		IF TG_OP = 'DELETE' THEN DELETE FROM app_user WHERE id = OLD.id; RETURN OLD; END IF;
		IF TG_OP = 'UPDATE' THEN UPDATE app_user SET login = NEW.login, mail = NEW.mail, name = NEW.name, employee_no = NEW.employee_no, active = NEW.active WHERE id = OLD.id; RETURN NEW; END IF;
		INSERT INTO app_user (login, mail, name, employee_no, active) VALUES (NEW.login, NEW.mail, NEW.name, NEW.employee_no, COALESCE(NEW.active, true)) RETURNING id INTO NEW.id;
		RETURN NEW; END $$`, "CREATE TRIGGER "+name+" INSTEAD OF INSERT OR UPDATE OR DELETE ON "+view+" FOR EACH ROW EXECUTE FUNCTION "+name+"()")
	return json.RawMessage("{" + strings.ReplaceAll(strings.ReplaceAll(conformanceUsers, "%TABLE%_role", "app_user_role"), "%TABLE%", view) + "}")
}

func dsnSecret(dsn string) map[string]connector.Secret {
	return map[string]connector.Secret{"dsn": connector.NewSecret(dsn)}
}

// revise makes the database count the versions of a row.
func revise(s *server, table string) {
	for _, st := range map[string][]string{
		"sqlite": {"CREATE TRIGGER revise AFTER UPDATE ON " + table + " WHEN NEW.rev = OLD.rev BEGIN UPDATE " + table + " SET rev = OLD.rev + 1 WHERE id = NEW.id; END"},
		"postgres": {"CREATE FUNCTION revise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.rev := OLD.rev + 1; RETURN NEW; END $$",
			"CREATE TRIGGER revise BEFORE UPDATE ON " + table + " FOR EACH ROW EXECUTE FUNCTION revise()"},
		"mysql": {"CREATE TRIGGER revise BEFORE UPDATE ON " + table + " FOR EACH ROW SET NEW.rev = OLD.rev + 1"},
	}[s.name] {
		s.exec(st)
	}
}
