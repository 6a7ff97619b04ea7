//go:build faults

package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// reply is the answer to an invocation.
type reply struct {
	ErrorType, ErrorMessage string
	PhysicalResourceID      string `json:"PhysicalResourceId"`
	Data                    map[string]string

	t    *testbed
	body []byte
	took time.Duration
}

// report is the report in the answer to a direct request.
func (a *reply) report() *outcome {
	o := &outcome{took: a.took}
	text := a.body
	if a.ErrorType != "" {
		text = []byte(a.ErrorMessage)
	}
	a.t.must(json.Unmarshal(text, &o.Report))
	return o
}

func (t *testbed) reply(body []byte, took time.Duration) *reply {
	a := &reply{t: t, body: body, took: took}
	if err := json.Unmarshal(body, a); err != nil {
		t.fail("the answer is no JSON: %q", tail(string(body), 200))
	}
	return a
}

// endpoint is a `slipway serve`.
type endpoint struct {
	*process
	url string
}

var listening = regexp.MustCompile(`url[ =](http[^\s)]+)`)

func (t *testbed) serve() *endpoint {
	e := &endpoint{process: t.launch(nil, "serve", "--addr", "127.0.0.1:0", "--json")}
	e.awaitURL()
	return e
}

// awaitURL waits until the log says where the endpoint listens.
func (e *endpoint) awaitURL() {
	e.t.await("serve listens", func() bool {
		m := listening.FindStringSubmatch(e.err.String())
		if m != nil {
			e.url = m[1]
		}
		return m != nil
	})
}

// stop ends the endpoint, in order.
func (e *endpoint) stop() {
	_ = e.cmd.Process.Signal(syscall.SIGINT)
	<-e.ended
}

// post invokes the function with an event. It may be called from any goroutine.
func (e *endpoint) post(event string) (body []byte, took time.Duration, err error) {
	at := time.Now()
	response, err := http.Post(e.url, "application/json", strings.NewReader(event))
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return body, time.Since(at), err
}

func (e *endpoint) invoke(event string) *reply {
	body, took, err := e.post(event)
	e.t.must(err)
	e.t.check(took < e.t.limit, "it took %s", took)
	return e.t.reply(body, took)
}

// sandbox is Lambda's runtime interface with the program as the function behind it.
type sandbox struct {
	*process
	next    chan invocation
	results chan []byte
}

type invocation struct {
	event    string
	deadline time.Time
}

// lambda starts the program as Lambda does.
func (t *testbed) lambda() *sandbox {
	r := &sandbox{next: make(chan invocation), results: make(chan []byte, 1)}
	const root = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+root+"invocation/next", func(w http.ResponseWriter, request *http.Request) {
		select {
		case i := <-r.next:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000000")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(i.deadline.UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn",
				"arn:aws:lambda:eu-central-1:000000000000:function:slipway")
			_, _ = io.WriteString(w, i.event)
		case <-request.Context().Done():
		}
	})
	take := func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		w.WriteHeader(http.StatusAccepted)
		r.results <- body
	}
	mux.HandleFunc("POST "+root+"invocation/{id}/response", take)
	mux.HandleFunc("POST "+root+"invocation/{id}/error", take)
	server := httptest.NewServer(mux)
	t.Cleanup(server.CloseClientConnections)
	t.env["AWS_LAMBDA_RUNTIME_API"] = strings.TrimPrefix(server.URL, "http://")
	r.process = t.launch(nil)
	delete(t.env, "AWS_LAMBDA_RUNTIME_API")
	return r
}

func (r *sandbox) invoke(event string, limit time.Duration) *reply {
	at := time.Now()
	r.next <- invocation{event, at.Add(limit)}
	select {
	case body := <-r.results:
		return r.t.reply(bytes.TrimSpace(body), time.Since(at))
	case <-time.After(limit):
		r.t.fail("no answer within %s", limit)
		return nil
	}
}

func (r *sandbox) pid() int { return r.cmd.Process.Pid }
