// Command badplugin is a plugin that misbehaves on demand, for the tests of
// the host. How it starts follows from the name it is run under, the part
// after the last hyphen; what it does with an operation follows from the
// operation's attribute "do".
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/provhub/provhub/plugins/protocol"
)

// realStderr is the pipe to the host; go-plugin replaces os.Stderr.
var realStderr, realStdout = os.Stderr, os.Stdout

func main() {
	name := filepath.Base(os.Args[0])
	mode := name[strings.LastIndexByte(name, '-')+1:]
	switch mode {
	case "exit":
		fmt.Fprintln(realStderr, "no licence file")
		os.Exit(3)
	case "rubbish":
		fmt.Println("Hello, world!")
		time.Sleep(time.Minute)
	case "flood":
		chunk := strings.Repeat("x", 4096)
		for {
			fmt.Print(chunk)
		}
	case "mute":
		time.Sleep(time.Minute)
	case "nocert":
		fmt.Printf("1|1|unix|/nowhere|grpc|%s\n", strings.Repeat("A", 60))
		time.Sleep(time.Minute)
	}
	if mode != "deaf" {
		go watchLifeline()
	}
	s := &server{mode: mode, replaced: make(chan string)}
	sets := protocol.PluginSets(s)
	if mode == "future" {
		sets = map[int]plugin.PluginSet{2: sets[protocol.Major]}
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  protocol.Handshake,
		VersionedPlugins: sets,
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.MaxRecvMsgSize(protocol.MaxMessageBytes), grpc.MaxSendMsgSize(1<<30))...)
		},
	})
}

func watchLifeline() {
	fd, err := strconv.Atoi(os.Getenv(protocol.LifelineEnv))
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, os.NewFile(uintptr(fd), "lifeline"))
	os.Exit(0)
}
