package connectortest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/plugins/protocol"
)

// offered is how a plugin that was started by hand answers the handshake.
type offered struct {
	line   string // on stdout
	stderr string
	exited bool
}

// offer starts the binary with nothing but what the handshake needs.
func (e *Env) offer(ctx context.Context, majors, dir string) (offered, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, e.Target.Binary)
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = dir, &log, time.Second
	cmd.Env = []string{protocol.MagicCookieKey + "=" + protocol.MagicCookieValue, "PLUGIN_PROTOCOL_VERSIONS=" + majors}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return offered{}, err
	}
	if err := cmd.Start(); err != nil {
		return offered{}, err
	}
	line, readErr := bufio.NewReader(out).ReadString('\n')
	if readErr == nil {
		_ = cmd.Process.Kill()
	}
	_ = cmd.Wait() // killed, or it says more on stderr than in its status
	o := offered{line: strings.TrimSpace(line), stderr: log.String(), exited: readErr != nil}
	if parts := strings.Split(o.line, "|"); len(parts) > 3 && parts[2] == "unix" {
		_ = os.RemoveAll(parts[3]) // it was killed before it could
	}
	if ctx.Err() != nil && o.line == "" {
		return o, fmt.Errorf("there was no handshake within %v", patience)
	}
	return o, nil
}

func picksVersion(ctx context.Context, e *Env) error {
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, majors := range []string{"1", "1,2", "2"} {
		o, err := e.offer(ctx, majors, dir)
		if err != nil {
			return fmt.Errorf("offered %s: %w", majors, err)
		}
		if o.exited {
			if strings.Contains(majors, "1") || strings.TrimSpace(o.stderr) == "" {
				return fmt.Errorf("offered %s: it exits, and says %q", majors, clip(o.stderr, 200))
			}
			continue
		}
		parts := strings.Split(o.line, "|")
		if len(parts) < 5 || parts[4] != "grpc" {
			return fmt.Errorf("offered %s: the handshake is %q", majors, clip(o.line, 80))
		}
		picked := parts[1]
		// Where nothing fits it names its own, and the hub refuses it.
		if fit := slices.Contains(strings.Split(majors, ","), picked); !fit && strings.Contains(majors, strconv.Itoa(protocol.Major)) {
			return fmt.Errorf("offered %s: it picks %s", majors, picked)
		}
	}
	return nil
}

func cleanStart(ctx context.Context, e *Env) error {
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o, err := e.offer(ctx, strconv.Itoa(protocol.Major), dir)
	if err != nil {
		return err
	}
	if o.exited {
		return fmt.Errorf("it does not start with an empty environment: %s", clip(o.stderr, 300))
	}
	left, err := os.ReadDir(dir)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("it leaves %s in its working directory", left[0].Name())
	}
	return err
}
