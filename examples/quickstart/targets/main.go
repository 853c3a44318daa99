// Command targets is the demo's computer room: a database, a directory, a SCIM
// service and an SFTP server, with nothing installed. All but the database are the
// servers that the connectors are tested with; they live as long as the command that
// they are started for, and speak TLS or SSH as real ones do.
//
//	targets run DIR COMMAND…    start them, write DIR/provhub.yaml, run COMMAND
//	targets show PERSON         what each holds about a person, read over its protocol
//	targets sql "SQL"           run SQL in the database
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

func main() {
	err := run(os.Args[1:])
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode()) // the command has said why
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "targets:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) > 2 && args[0] == "run":
		return serve(args[1], args[2:])
	case len(args) == 2 && args[0] == "show":
		return show(args[1])
	case len(args) == 2 && args[0] == "sql":
		return query(args[1])
	}
	return errors.New("expected run DIR COMMAND…, show PERSON or sql SQL")
}
