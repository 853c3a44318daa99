package pluginhost

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// maxHandshake bounds the handshake line; with a certificate it has about 900 bytes.
const maxHandshake = 16 << 10

// handshakeReader is a plugin's stdout as go-plugin sees it: one line. What is
// printed after that goes to printed, so that a child of the plugin that
// inherited the pipe never blocks: go-plugin stops reading at a line of 64 KiB.
type handshakeReader struct {
	from    io.ReadCloser
	printed io.Writer

	mu   sync.Mutex
	line []byte
	done bool // the line has ended
}

// Read implements io.Reader. After the first line it returns only at the end
// of the stream.
func (h *handshakeReader) Read(p []byte) (int, error) {
	for !h.tooLong() {
		n, err := h.from.Read(p)
		if head := h.take(p[:n]); head > 0 || err != nil {
			return head, err
		}
	}
	return 0, io.EOF
}

// take splits b into what belongs to the first line, whose length it returns,
// and what goes to printed.
func (h *handshakeReader) take(b []byte) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	head := 0
	if !h.done {
		head = len(b)
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			head, h.done = i+1, true
		}
		h.line = append(h.line, b[:head]...)
	}
	if head < len(b) {
		_, _ = h.printed.Write(b[head:])
	}
	return head
}

func (h *handshakeReader) tooLong() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.done && len(h.line) > maxHandshake
}

// Close implements io.Closer.
func (h *handshakeReader) Close() error { return h.from.Close() }

// first returns the line the plugin printed, and whether it can be go-plugin's
// handshake: "1|1|unix|/path|grpc|certificate".
func (h *handshakeReader) first() (line string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	line = strings.TrimSpace(string(h.line))
	return line, strings.Count(line, "|") >= 4
}
