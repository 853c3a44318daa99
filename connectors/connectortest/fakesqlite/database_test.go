package fakesqlite

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestADatabaseHasItsTables(t *testing.T) {
	d, err := New(Options{Schema: "CREATE TABLE app_user (id INTEGER PRIMARY KEY, login TEXT); INSERT INTO app_user (login) VALUES ('jdoe');"})
	require.NoError(t, err)
	var login string
	require.NoError(t, d.DB.QueryRow("SELECT login FROM app_user").Scan(&login))
	assert.Equal(t, "jdoe", login)
	assert.Equal(t, "sqlite:"+d.Path(), d.DSN())
	assert.FileExists(t, d.Path())
	d.Close()
	assert.NoFileExists(t, d.Path())
}

func TestASchemaThatIsNoSQLLeavesNothing(t *testing.T) {
	_, err := New(Options{Schema: "CREATE TABEL x"})
	require.ErrorContains(t, err, "the schema")
}
