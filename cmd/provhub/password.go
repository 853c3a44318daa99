package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/provhub/provhub/core/signin"
)

// newPassword asks for a new password of the user called name: twice on a terminal,
// where nobody sees what is typed; else it is one line of standard input. It is never
// an argument, which other users of the machine could see.
func (a *app) newPassword(name string) (string, error) {
	password, err := a.readPassword(name)
	if err != nil {
		return "", err
	}
	if err := signin.CheckPassword(name, password); err != nil {
		return "", usageError{err}
	}
	return password, nil
}

func (a *app) readPassword(name string) (string, error) {
	f, ok := a.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(a.in, 1<<16)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", usageError{errors.New("no password on standard input")}
		}
		return line, nil
	}
	first, err := a.ask(f, "Password of "+name+": ")
	if err != nil {
		return "", err
	}
	second, err := a.ask(f, "Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", usageError{errors.New("the two are not the same; nothing was changed")}
	}
	return first, nil
}

// ask reads a line from the terminal without showing it.
func (a *app) ask(f *os.File, prompt string) (string, error) {
	fmt.Fprint(a.err, prompt)
	b, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(a.err)
	return string(b), err
}
