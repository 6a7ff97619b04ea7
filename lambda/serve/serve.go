// Package serve is the local stand-in for Lambda's endpoint: it takes
// invocations in the form of AWS's Runtime Interface Emulator and answers as
// that does. It knows nothing of what the handler does.
package serve

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
)

// Path is where invocations are posted to.
const Path = "/2015-03-31/functions/function/invocations"

// maxPayload is Lambda's own limit for a synchronous invocation, in bytes.
const maxPayload = 6 << 20

// Server answers invocations one at a time, as a Lambda sandbox does.
type Server struct {
	Handler lambda.Handler
	Timeout time.Duration // of one invocation
	Log     *slog.Logger

	one sync.Mutex
}

// Listen serves on addr until ctx ends. A running invocation is then ended
// through its context and answered before Listen returns.
func (s *Server) Listen(ctx context.Context, addr string) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	s.Log.Info("listening", "url", "http://"+l.Addr().String()+Path)
	server := &http.Server{Handler: s.routes(ctx), ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		_ = server.Shutdown(last)
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped
	return nil
}

// routes has invocations end with ctx rather than with their connection: a
// caller that goes away does not stop a migration, just as in Lambda.
func (s *Server) routes(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path, func(w http.ResponseWriter, r *http.Request) {
		// A page in a browser can post to this machine; nothing else sends this header.
		if r.Header.Get("Origin") != "" {
			http.Error(w, "web pages may not invoke the function", http.StatusForbidden)
			return
		}
		payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
		if err != nil {
			http.Error(w, "the payload is over 6 MB or was cut off", http.StatusRequestEntityTooLarge)
			return
		}
		s.one.Lock()
		defer s.one.Unlock()
		limited, cancel := context.WithTimeout(ctx, s.Timeout)
		defer cancel()
		body, err := s.Handler.Invoke(limited, payload)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			body = errorBody(err)
		}
		_, _ = w.Write(body)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "post an event to "+Path, http.StatusNotFound)
	})
	return mux
}

func errorBody(err error) []byte {
	var e messages.InvokeResponse_Error
	if !errors.As(err, &e) {
		e = messages.InvokeResponse_Error{Type: "Error", Message: err.Error()}
	}
	body, _ := json.Marshal(map[string]string{"errorType": e.Type, "errorMessage": e.Message})
	return body
}
