//go:build faults

package faults

import (
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
)

// proxy stands between the program and PostgreSQL. Its handler gets each
// connection with its number, from 1.
type proxy struct {
	port        int
	target      string
	connections atomic.Int64
	listener    net.Listener
	frozen      atomic.Bool
	thaw        chan struct{} // closed at the end

	mu   sync.Mutex
	open []net.Conn
}

// proxy starts one in front of the fault's server and sends the program there.
func (t *testbed) proxy(handle func(p *proxy, c net.Conn, n int)) *proxy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	t.must(err)
	p := &proxy{
		listener: listener, port: listener.Addr().(*net.TCPAddr).Port,
		target: net.JoinHostPort("127.0.0.1", strconv.Itoa(t.server.Port)), thaw: make(chan struct{})}
	t.Cleanup(p.close)
	t.env["PGHOST"], t.env["PGPORT"] = "127.0.0.1", strconv.Itoa(p.port)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			p.keep(c)
			go func() {
				defer c.Close()
				handle(p, c, int(p.connections.Add(1)))
			}()
		}
	}()
	return p
}

// direct sends the program straight to the server again.
func (t *testbed) direct() {
	delete(t.env, "PGHOST")
	delete(t.env, "PGPORT")
}

func (p *proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, c)
}

// cut closes every connection on both sides; new ones are still taken.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.open {
		c.Close()
	}
	p.open = nil
}

func (p *proxy) close() {
	p.listener.Close()
	p.cut()
	close(p.thaw)
}

// relay passes everything on, until either side ends.
func (p *proxy) relay(c net.Conn) {
	p.pass(c, c, false)
}

// pass is relay for a client whose first bytes may have been read already.
// With orphaning, the server never hears that the client is gone.
func (p *proxy) pass(c net.Conn, from io.Reader, orphaning bool) {
	up, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	p.keep(up)
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(c, up)
		c.Close()
	}()
	_, _ = io.Copy(up, from)
	if !orphaning {
		up.Close()
	}
	<-back
}

const (
	sslRequest    = 80877103
	gssRequest    = 80877104
	cancelRequest = 80877102
)

// startup reads a client's startup message, refusing encryption before it. nil
// means that there was none.
func startup(c net.Conn) []byte {
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(c, head); err != nil {
			return nil
		}
		code := binary.BigEndian.Uint32(head[4:])
		if code == sslRequest || code == gssRequest {
			if _, err := c.Write([]byte("N")); err != nil {
				return nil
			}
			continue
		}
		rest := make([]byte, binary.BigEndian.Uint32(head)-8)
		if _, err := io.ReadFull(c, rest); err != nil || code == cancelRequest {
			return nil
		}
		return append(head, rest...)
	}
}

// refuse answers a client's startup as a server that takes no sessions.
func refuse(c net.Conn, state, message string) {
	if startup(c) == nil {
		return
	}
	var body []byte
	for _, field := range []string{"SFATAL", "VFATAL", "C" + state, "M" + message} {
		body = append(append(body, field...), 0)
	}
	body = append(body, 0)
	packet := binary.BigEndian.AppendUint32([]byte{'E'}, uint32(len(body)+4))
	_, _ = c.Write(append(packet, body...))
}

// freezable is relay until [proxy.freeze]: from then on nothing passes and
// nothing is closed, as on a network that drops all packets.
func (p *proxy) freezable(c net.Conn, _ int) {
	up, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	p.keep(up)
	go p.copyUntilFrozen(c, up)
	p.copyUntilFrozen(up, c)
}

func (p *proxy) copyUntilFrozen(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if p.frozen.Load() {
			<-p.thaw
			return
		}
		if n > 0 {
			_, _ = to.Write(buffer[:n])
		}
		if err != nil {
			to.Close()
			return
		}
	}
}

func (p *proxy) freeze() { p.frozen.Store(true) }
