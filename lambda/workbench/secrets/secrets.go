// Package secrets is a local stand-in for AWS Secrets Manager: GetSecretValue
// in the protocol of the real SDK, which AWS_ENDPOINT_URL_SECRETS_MANAGER leads
// here, on 127.0.0.1.
//
//	server, err := secrets.Start()
//	defer server.Close()
//	arn := server.Set("database", `{"username":"u","password":"p"}`)
//
// Tests tell it to fail with [Server.Fail] and its kin. It checks no signatures
// and keeps nothing.
package secrets

import (
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server holds secrets and answers for them until it is closed. Its methods
// may be called from several goroutines.
type Server struct {
	// URL is the endpoint: http://127.0.0.1:<port>.
	URL string

	http  *http.Server
	mu    sync.Mutex
	known map[string]*secret // by ARN; the name is a part of it
	quit  chan struct{}
	close sync.Once
}

// secret is what a name stands for.
type secret struct {
	name, arn string
	// answers are given in turn, the last one for ever.
	answers []answer
	reads   int
}

// answer is one reply: a value, or a failure.
type answer struct {
	text    string
	binary  []byte
	failure string // an exception's name
	hang    bool
}

// Start listens on a free port.
func Start() (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://" + listener.Addr().String(), known: map[string]*secret{}, quit: make(chan struct{})}
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: 10 * time.Second}
	go s.http.Serve(listener)
	return s, nil
}

// Close ends the server; what still hangs is cut off.
func (s *Server) Close() error {
	s.close.Do(func() { close(s.quit) })
	return s.http.Close()
}

// Set gives the secret its value and returns its ARN, which stays the same.
func (s *Server) Set(name, value string) (arn string) { return s.put(name, answer{text: value}) }

// SetJSON is [Server.Set] for what RDS keeps in a secret: an object with
// username, password, and where wanted host, port and dbname.
func (s *Server) SetJSON(name string, value any) (arn string, err error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	return s.Set(name, string(text)), nil
}

// SetBinary gives the secret a SecretBinary in place of a string.
func (s *Server) SetBinary(name string, value []byte) (arn string) {
	return s.put(name, answer{binary: value})
}

// Rotate has the first read answer before, and all later ones after.
func (s *Server) Rotate(name, before, after string) (arn string) {
	return s.put(name, answer{text: before}, answer{text: after})
}

// Fail has each read end in an exception of this name, such as
// ResourceNotFoundException, AccessDeniedException or ThrottlingException.
func (s *Server) Fail(name, exception string) (arn string) {
	return s.put(name, answer{failure: exception})
}

// FailThen has so many reads fail, and the later ones answer the value.
func (s *Server) FailThen(name, exception string, times int, value string) (arn string) {
	answers := make([]answer, times, times+1)
	for i := range answers {
		answers[i].failure = exception
	}
	return s.put(name, append(answers, answer{text: value})...)
}

// Hang has reads get no answer, until the client gives up or the server closes.
func (s *Server) Hang(name string) (arn string) { return s.put(name, answer{hang: true}) }

// Reads is how often the secret was asked for, by its name.
func (s *Server) Reads(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.known[arnOf(name)]; found != nil {
		return found.reads
	}
	return 0
}

func (s *Server) put(name string, answers ...answer) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	arn := arnOf(name)
	s.known[arn] = &secret{name: name, arn: arn, answers: answers}
	return arn
}

// arnOf is the ARN of a secret of this name in no real account.
func arnOf(name string) string {
	return "arn:aws:secretsmanager:eu-central-1:000000000000:secret:" + name + "-AbCdEf"
}
