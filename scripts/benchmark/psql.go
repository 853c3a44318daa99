package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

var quoteText = strings.NewReplacer("'", "''")

func quote(s string) string { return "'" + quoteText.Replace(s) + "'" }

func insertStatement(q person) string {
	return fmt.Sprintf("INSERT INTO app_user (login, email, given_name, family_name, employee_no, title) VALUES (%s, %s, %s, %s, %s, %s);\n",
		quote(q.email), quote(q.email), quote(q.given), quote(q.family), quote(q.id), quote(q.title))
}

func updateStatement(q person) string {
	return fmt.Sprintf("UPDATE app_user SET title = %s WHERE login = %s;\n", quote(q.title+" grade 1"), quote(q.email))
}

// writeStatements writes one statement for each of n people; once puts all of
// them into one transaction.
func writeStatements(path string, n int, statement func(person) string, once bool) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	if once {
		fmt.Fprintln(w, "BEGIN;")
	}
	p := people{n: n}
	for i := range n {
		_, _ = w.WriteString(statement(p.at(i))) // Flush tells
	}
	if once {
		fmt.Fprintln(w, "COMMIT;")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// psql runs a file of statements in one session.
func psql(ctx context.Context, dsn, file string) (usage, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return usage{}, err
	}
	env := []string{"PGHOST=" + c.Host, "PGPORT=" + strconv.Itoa(int(c.Port)), "PGUSER=" + c.User, "PGPASSWORD=" + c.Password,
		"PGDATABASE=" + c.Database, "PGSSLMODE=disable"}
	u, _, err := run(ctx, "", env, "psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", file)
	return u, err
}
