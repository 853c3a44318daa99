package hub

import (
	"io/fs"
	"os"
	"sync"

	"github.com/provhub/provhub/core/pluginhost"
)

// sums remembers whether the files of plugins are those that were pinned, so that
// whoever asks how connectors stand does not read them all each time. What starts a
// plugin does not ask here.
type sums struct {
	mu   sync.Mutex
	seen map[string]sum
}

// sum is what was found of a file that looked like info.
type sum struct {
	info   fs.FileInfo
	pinned string
	other  bool
}

// other is like the function, and reads a file again when its size, time or place on
// the disk is another.
func (s *sums) other(pc pluginhost.Config) bool {
	info, err := os.Stat(pc.Path)
	if err != nil {
		return false // told of when it is to run
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	had, ok := s.seen[pc.Path]
	if ok && had.pinned == pc.SHA256 && had.info.Size() == info.Size() && had.info.ModTime().Equal(info.ModTime()) && os.SameFile(had.info, info) {
		return had.other
	}
	if s.seen == nil {
		s.seen = map[string]sum{}
	}
	now := sum{info, pc.SHA256, other(pc)}
	s.seen[pc.Path] = now
	return now.other
}
