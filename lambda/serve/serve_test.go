package serve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// handler is a lambda.Handler out of a function.
type handler func(context.Context, []byte) ([]byte, error)

func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return h(ctx, payload) }

// listening starts a server and returns its address, and how to end it.
func listening(t *testing.T, h handler) (url string, end func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	s := &Server{Handler: h, Timeout: time.Minute, Log: slog.New(slog.DiscardHandler)}
	go func() { done <- s.Listen(ctx, addr) }()
	t.Cleanup(cancel)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	return "http://" + addr, func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(10 * time.Second):
			return errors.New("the server does not end")
		}
	}
}

func post(t *testing.T, url string, body io.Reader) (status int, header http.Header, text string) {
	t.Helper()
	response, err := http.Post(url, "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(b)
}

func TestAnswersAsTheEmulatorDoes(t *testing.T) {
	url, end := listening(t, func(_ context.Context, payload []byte) ([]byte, error) {
		switch string(payload) {
		case "typed":
			return nil, messages.InvokeResponse_Error{Type: "LOCKED", Message: "with \"quotes\" and\nlines"}
		case "plain":
			return nil, errors.New("something")
		}
		return append([]byte("got "), payload...), nil
	})
	for payload, want := range map[string]string{
		`{"a":1}`: `got {"a":1}`,
		"":        "got ",
		"typed":   `{"errorMessage":"with \"quotes\" and\nlines","errorType":"LOCKED"}`,
		"plain":   `{"errorMessage":"something","errorType":"Error"}`,
	} {
		status, header, text := post(t, url+Path, strings.NewReader(payload))
		if status != 200 || text != want {
			t.Errorf("%q: %d %s, want %s", payload, status, text, want)
		}
		if failed := header.Get("X-Amz-Function-Error") != ""; failed != strings.HasPrefix(text, `{"errorM`) {
			t.Errorf("%q: function error %t", payload, failed)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestOtherPathsAndMethods(t *testing.T) {
	url, _ := listening(t, func(context.Context, []byte) ([]byte, error) { t.Error("invoked"); return nil, nil })
	if status, _, text := post(t, url+"/", nil); status != 404 || !strings.Contains(text, Path) {
		t.Errorf("%d %s", status, text)
	}
	response, err := http.Get(url + Path)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 405 && response.StatusCode != 404 {
		t.Errorf("GET: %s", response.Status)
	}
}

func TestPayloadsUpToLambdasLimit(t *testing.T) {
	url, _ := listening(t, func(_ context.Context, payload []byte) ([]byte, error) { return []byte("ok"), nil })
	if status, _, _ := post(t, url+Path, bytes.NewReader(make([]byte, maxPayload))); status != 200 {
		t.Errorf("6 MB: %d", status)
	}
	if status, _, text := post(t, url+Path, bytes.NewReader(make([]byte, maxPayload+1))); status != 413 ||
		!strings.Contains(text, "6 MB") {
		t.Errorf("more: %d %s", status, text)
	}
}

func TestOneInvocationAtATime(t *testing.T) {
	var now, most atomic.Int32
	url, _ := listening(t, func(context.Context, []byte) ([]byte, error) {
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		return nil, nil
	})
	done := make(chan bool)
	for range 5 {
		go func() {
			response, err := http.Post(url+Path, "", nil)
			if err == nil {
				response.Body.Close()
			}
			done <- err == nil
		}()
	}
	for range 5 {
		if !<-done {
			t.Error("an invocation was not answered")
		}
	}
	if most.Load() != 1 {
		t.Errorf("%d at a time", most.Load())
	}
}

func TestEndAnswersWhatRuns(t *testing.T) {
	running := make(chan bool)
	url, end := listening(t, func(ctx context.Context, _ []byte) ([]byte, error) {
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > time.Minute {
			t.Errorf("deadline %v", deadline)
		}
		close(running)
		<-ctx.Done()
		return nil, messages.InvokeResponse_Error{Type: "INTERRUPTED", Message: "in order"}
	})
	answered := make(chan string, 1)
	go func() {
		_, _, text := post(t, url+Path, nil)
		answered <- text
	}()
	<-running
	if err := end(); err != nil {
		t.Error(err)
	}
	if text := <-answered; !strings.Contains(text, "INTERRUPTED") {
		t.Errorf("answered %s", text)
	}
}

func TestCallerThatGoesAwayStopsNothing(t *testing.T) {
	running, finish, finished := make(chan bool), make(chan bool), make(chan error, 1)
	url, _ := listening(t, func(ctx context.Context, _ []byte) ([]byte, error) {
		close(running)
		<-finish
		finished <- ctx.Err()
		return nil, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan bool)
	go func() {
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
		}
		close(gone)
	}()
	<-running
	cancel()
	<-gone
	close(finish)
	if err := <-finished; err != nil {
		t.Errorf("the invocation ended with its caller: %v", err)
	}
}

func TestTheTimeOfAnInvocationEnds(t *testing.T) {
	s := &Server{Timeout: 20 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Handler: handler(func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := http.Server{Handler: s.routes(ctx)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l) //nolint:errcheck // closed below
	defer server.Close()
	if _, _, text := post(t, "http://"+l.Addr().String()+Path, nil); !strings.Contains(text, "deadline exceeded") {
		t.Error(text)
	}
}

func TestPortThatIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &Server{Log: slog.New(slog.DiscardHandler)}
	if err := s.Listen(t.Context(), l.Addr().String()); err == nil {
		t.Error("listens on a port that is taken")
	}
}
