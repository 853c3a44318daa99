package memory

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// journal is a file of effects, one line of JSON each. It is only ever
// appended to, with one write for what belongs together and without waiting for
// the disk: it survives the death of the process, not that of the machine.
type journal struct {
	path string
	f    *os.File
	read int64 // how far the file is known
}

func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return &journal{path: path, f: f}, nil
}

// lock keeps other processes out until release is called.
func (j *journal) lock() (release func(), err error) {
	if err := lockFile(j.f); err != nil {
		return nil, fmt.Errorf("journal %s cannot be locked: %w", j.path, err)
	}
	return func() { _ = unlockFile(j.f) }, nil
}

// catchUp applies what was appended since the last time, by whomever.
func (j *journal) catchUp(apply func(Effect)) error {
	info, err := j.f.Stat()
	if err != nil || info.Size() == j.read {
		return err
	}
	r := bufio.NewReader(io.NewSectionReader(j.f, j.read, info.Size()-j.read))
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			// A line without its end was cut short by a kill: it does not count.
			return j.cut(int64(len(line)))
		}
		if err != nil {
			return fmt.Errorf("journal %s: %w", j.path, err)
		}
		var e Effect
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("journal %s, byte %d: %w", j.path, j.read, err)
		}
		if _, ok := keys[e.Type]; !ok {
			return fmt.Errorf("journal %s, byte %d: there is no object type %q", j.path, j.read, e.Type)
		}
		apply(e)
		j.read += int64(len(line))
	}
}

func (j *journal) cut(rest int64) error {
	if rest == 0 {
		return nil
	}
	return j.f.Truncate(j.read)
}

func (j *journal) append(es []Effect) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, e := range es {
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	n, err := j.f.Write(b.Bytes())
	if err != nil {
		return errors.Join(err, j.f.Truncate(j.read))
	}
	j.read += int64(n)
	return nil
}

// ReadJournal returns the effects in the journal at path, none when there is no
// such file.
func ReadJournal(path string) ([]Effect, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var es []Effect
	for dec := json.NewDecoder(f); ; {
		var e Effect
		switch err := dec.Decode(&e); {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return es, nil
		case err != nil:
			return es, fmt.Errorf("journal %s: %w", path, err)
		}
		es = append(es, e)
	}
}
