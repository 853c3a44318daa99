package fakesftp

import (
	"io"
	"net"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// serve carries one connection to its end.
func (s *Server) serve(conn net.Conn, fs *faults) {
	if f, ok := fs.meets(packet{kind: "connection"}); ok {
		if f.Do == Hang {
			_, _ = io.Copy(io.Discard, conn)
		}
		return
	}
	sc, channels, requests, err := ssh.NewServerConn(conn, s.config())
	if err != nil {
		return
	}
	defer sc.Close()
	s.count("login")
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { s.global(requests) })
	for n := range channels {
		switch n.ChannelType() {
		case "session":
			ch, reqs, err := n.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.session(conn, ch, reqs, fs) })
		case "direct-tcpip":
			wg.Go(func() { s.forward(n) })
		default:
			_ = n.Reject(ssh.UnknownChannelType, "this is an SFTP server")
		}
	}
}

// global answers what concerns the connection: the keep-alives above all.
func (s *Server) global(requests <-chan *ssh.Request) {
	for r := range requests {
		s.count(r.Type)
		if r.WantReply {
			_ = r.Reply(false, nil)
		}
	}
}

// session serves the SFTP subsystem.
func (s *Server) session(conn net.Conn, ch ssh.Channel, requests <-chan *ssh.Request, fs *faults) {
	defer ch.Close()
	for r := range requests {
		ok := r.Type == "subsystem" && len(r.Payload) >= 4 && string(r.Payload[4:]) == "sftp"
		if _, refused := fs.meets(packet{kind: "subsystem"}); refused {
			ok = false
		}
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
		if ok {
			go ssh.DiscardRequests(requests)
			h := handlers{s.FS}
			tap := newTap(s, conn, ch, fs)
			_ = sftp.NewRequestServer(tap, sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h}).Serve()
			tap.wait()
			return
		}
	}
}

// forward connects onwards (RFC 4254 §7.2).
func (s *Server) forward(n ssh.NewChannel) {
	var to struct {
		Host     string
		Port     uint32
		FromHost string
		FromPort uint32
	}
	if err := ssh.Unmarshal(n.ExtraData(), &to); err != nil || !s.opt.Forward {
		_ = n.Reject(ssh.Prohibited, "no forwarding")
		return
	}
	out, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.ParseIP(to.Host), Port: int(to.Port)})
	if err != nil {
		_ = n.Reject(ssh.ConnectionFailed, "cannot connect")
		return
	}
	defer out.Close()
	ch, reqs, err := n.Accept()
	if err != nil {
		return
	}
	defer ch.Close()
	go ssh.DiscardRequests(reqs)
	s.count("forward")
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(out, ch); _ = out.CloseWrite() })
	wg.Go(func() { _, _ = io.Copy(ch, out); _ = ch.CloseWrite() })
	wg.Wait()
}
