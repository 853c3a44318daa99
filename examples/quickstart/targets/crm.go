package main

import (
	"database/sql"
	"fmt"
	"os"
	"strings"

	_ "modernc.org/sqlite"
)

const crm = `
create table app_user (
  id integer primary key,
  login text not null unique,
  email text not null unique,
  given_name text, family_name text,
  employee_no text unique,
  active boolean not null default true);
create table app_role (id integer primary key, name text not null unique);
create table app_user_role (
  user_id integer not null references app_user on delete cascade,
  role_id integer not null references app_role on delete cascade,
  primary key (user_id, role_id));
insert into app_role (name) values ('reader'), ('seller'), ('agent'), ('supervisor');
-- Two accounts were made by hand before provhub came. The first has an employee
-- number and is recognised; the second is in the way of somebody to be hired.
insert into app_user (login, email, given_name, family_name, employee_no)
  values ('bjorn', 'bjorn.akesson@acme.example', 'Björn', 'Akesson', '1002');
insert into app_user (login, email, given_name, family_name)
  values ('test-account', 'viktoria.szabo@acme.example', 'Test', 'Account');`

// execute makes the database at a connection string.
func execute(dsn, text string) error {
	db, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(text)
	return err
}

// query runs SQL in the CRM's database and prints what it returns.
func query(text string) error {
	db, err := sql.Open("sqlite", strings.TrimPrefix(os.Getenv("CRM_DSN"), "sqlite:"))
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.Query(text)
	if err != nil {
		return err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(cols))
	for i := range values {
		values[i] = new(sql.NullString)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return err
		}
		texts := make([]string, len(cols))
		for i, v := range values {
			texts[i] = v.(*sql.NullString).String
		}
		fmt.Println(strings.Join(texts, "  "))
	}
	return rows.Err()
}
