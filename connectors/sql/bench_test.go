package sql

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// benchAccounts is how many accounts one run of a benchmark writes.
const benchAccounts = 10_000

// The benchmarks write 10,000 accounts through ApplyBatch, beside the plain
// statements they are to be no slower than, on the same server in the same run:
//
//	go test ./connectors/sql -run '^$' -bench . -benchtime 1x

func BenchmarkCreateSQLite(b *testing.B)   { benchCreate(b, newSQLite) }
func BenchmarkCreatePostgres(b *testing.B) { benchCreate(b, newPostgres) }
func BenchmarkCreateMariaDB(b *testing.B)  { benchCreate(b, newMariaDB) }
func BenchmarkUpdateSQLite(b *testing.B)   { benchUpdate(b, newSQLite) }
func BenchmarkUpdatePostgres(b *testing.B) { benchUpdate(b, newPostgres) }

func benchCreate(b *testing.B, open func(testing.TB) *server) {
	for _, flight := range []int{1, 4, 16} {
		for _, batch := range []int{1, 128} {
			b.Run(fmt.Sprintf("flight=%d/batch=%d", flight, batch), func(b *testing.B) {
				for range b.N {
					b.StopTimer()
					target := benchTarget(b, open(b))
					ops := benchCreates()
					b.StartTimer()
					benchRun(b, target, ops, flight, batch)
				}
				rate(b)
			})
		}
	}
}

func benchUpdate(b *testing.B, open func(testing.TB) *server) {
	for _, flight := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("flight=%d/batch=128", flight), func(b *testing.B) {
			target := benchTarget(b, open(b))
			benchRun(b, target, benchCreates(), 4, 128)
			b.ResetTimer()
			for n := range b.N {
				ops := make([]connector.Operation, benchAccounts)
				for i := range ops {
					ops[i] = connector.Update{Call: connector.Call{ID: fmt.Sprint(n, "-", i)}, Target: user(fmt.Sprintf("user%05d", i)),
						Changes: []connector.Change{replace("displayName", fmt.Sprintf("Name %d of %d", n, i))}}
				}
				benchRun(b, target, ops, flight, 128)
			}
			rate(b)
		})
	}
}

func benchTarget(b *testing.B, s *server) *Target {
	_, err := s.db.Exec(dialectWords[s.name].Replace(appUser))
	require.NoError(b, err)
	return openTarget(b, `{"users": {"table": "app_user", "key": "login", "id": "id", "enabled": {"column": "active"},
		"columns": [{"name": "userName", "column": "login"}, {"name": "mail"}, {"name": "displayName", "column": "name"}, {"name": "employeeNumber", "column": "employee_no"}]}}`, s.dsn)
}

func benchCreates() []connector.Operation {
	ops := make([]connector.Operation, benchAccounts)
	for i := range ops {
		ops[i] = create(fmt.Sprint(i), fmt.Sprintf("user%05d", i), "mail", fmt.Sprintf("user%05d@example.org", i),
			"displayName", fmt.Sprintf("Name of %d", i), "employeeNumber", fmt.Sprintf("E%05d", i))
	}
	return ops
}

// benchRun sends ops in batches, flight of them at once.
func benchRun(b *testing.B, target *Target, ops []connector.Operation, flight, batch int) {
	batches := make(chan []connector.Operation, len(ops)/batch+1)
	for i := 0; i < len(ops); i += batch {
		batches <- ops[i:min(i+batch, len(ops))]
	}
	close(batches)
	var wg sync.WaitGroup
	for range flight {
		wg.Go(func() {
			for ops := range batches {
				for _, r := range target.ApplyBatch(context.Background(), ops) {
					if r.Outcome != connector.OutcomeApplied {
						b.Errorf("%s: %s %v", r.ID, r.Outcome, r.Err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

func rate(b *testing.B) {
	b.ReportMetric(float64(benchAccounts*b.N)/b.Elapsed().Seconds(), "accounts/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkReferencePgx is 10,000 INSERTs one by one, each its own transaction.
func BenchmarkReferencePgx(b *testing.B) {
	for range b.N {
		b.StopTimer()
		s := newPostgres(b)
		benchTarget(b, s)
		conn, err := pgx.Connect(context.Background(), s.dsn)
		require.NoError(b, err)
		b.StartTimer()
		for i := range benchAccounts {
			_, err := conn.Exec(context.Background(), "INSERT INTO app_user (login, mail, name, employee_no) VALUES ($1, $2, $3, $4)",
				fmt.Sprintf("user%05d", i), fmt.Sprintf("user%05d@example.org", i), fmt.Sprintf("Name of %d", i), fmt.Sprintf("E%05d", i))
			require.NoError(b, err)
		}
		b.StopTimer()
		require.NoError(b, conn.Close(context.Background()))
		b.StartTimer()
	}
	rate(b)
}

// BenchmarkReferencePsql is the same INSERTs sent by psql from a file.
func BenchmarkReferencePsql(b *testing.B) {
	psql, err := exec.LookPath("psql")
	if err != nil {
		b.Skip("needs psql in PATH")
	}
	var took time.Duration
	for range b.N {
		s := newPostgres(b)
		benchTarget(b, s)
		var sql strings.Builder
		for i := range benchAccounts {
			fmt.Fprintf(&sql, "INSERT INTO app_user (login, mail, name, employee_no) VALUES ('user%05d', 'user%05d@example.org', 'Name of %d', 'E%05d');\n", i, i, i, i)
		}
		file := filepath.Join(b.TempDir(), "inserts.sql")
		require.NoError(b, os.WriteFile(file, []byte(sql.String()), 0o600))
		cmd := exec.Command(psql, "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file", file)
		cmd.Env = append(os.Environ(), "PGOPTIONS=-c search_path="+s.space)
		cmd.Args = append(cmd.Args, strings.Split(s.dsn, "&search_path")[0])
		begin := time.Now()
		out, err := cmd.CombinedOutput()
		took += time.Since(begin)
		require.NoError(b, err, string(out))
	}
	b.ReportMetric(float64(benchAccounts*b.N)/took.Seconds(), "accounts/s")
	b.ReportMetric(0, "ns/op")
}
