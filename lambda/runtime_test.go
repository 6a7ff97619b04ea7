//go:build unix

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"slipway/lambda/report"
)

// runtime is Lambda's runtime endpoint for one process of the program.
type runtime struct {
	*place
	server   *httptest.Server
	events   chan invocation
	answers  chan answer
	numbers  atomic.Int64
	failures chan string // init errors
	cmd      *exec.Cmd
	err      *bytes.Buffer
}

type invocation struct {
	payload  string
	deadline time.Duration
}

// answer is what the program posts: a response, or a function error.
type answer struct {
	failed    bool
	body      []byte
	Type      string `json:"errorType"`
	Message   string `json:"errorMessage"`
	requestID string
}

// newRuntime starts the program as Lambda does.
func newRuntime(p *place, env ...string) *runtime {
	p.Helper()
	r := &runtime{place: p, events: make(chan invocation), answers: make(chan answer, 10),
		failures: make(chan string, 10)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, request *http.Request) {
		select {
		case i := <-r.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("request-%d", r.numbers.Add(1)))
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(i.deadline).UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:1:function:f")
			_, _ = io.WriteString(w, i.payload)
		case <-request.Context().Done():
		}
	})
	post := func(failed bool) http.HandlerFunc {
		return func(w http.ResponseWriter, request *http.Request) {
			body, _ := io.ReadAll(request.Body)
			a := answer{failed: failed, body: body, requestID: request.PathValue("id")}
			if failed {
				_ = json.Unmarshal(body, &a)
			}
			w.WriteHeader(http.StatusAccepted)
			r.answers <- a
		}
	}
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", post(false))
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", post(true))
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(_ http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.failures <- string(body)
	})
	r.server = httptest.NewServer(mux)
	// The image's command is there as an argument, and must not matter.
	r.cmd, _, r.err = p.process(append(env, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(r.server.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512"), "serve")
	if err := r.cmd.Start(); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		r.server.CloseClientConnections()
		r.server.Close()
	})
	return r
}

// invoke sends an event and waits for its answer.
func (r *runtime) invoke(payload string, deadline time.Duration) answer {
	r.Helper()
	late := time.After(deadline + 20*time.Second)
	select {
	case r.events <- invocation{payload, deadline}:
	case failure := <-r.failures:
		r.Fatalf("the program did not start: %s", failure)
	case <-late:
		r.Fatal("the program asks for no event")
	}
	select {
	case a := <-r.answers:
		r.output = append(r.output, string(a.body))
		if want := fmt.Sprintf("request-%d", r.numbers.Load()); a.requestID != want {
			r.Errorf("answered %s, not %s", a.requestID, want)
		}
		return a
	case <-late:
		r.Fatal("no answer")
	}
	return answer{}
}

func cfn(kind, more string) string {
	return `{"RequestType":"` + kind +
		`","StackId":"arn:stack","LogicalResourceId":"Migration","RequestId":"r","ResponseURL":"https://x"` + more + `}`
}

func (r *runtime) data(a answer) map[string]string {
	r.Helper()
	var got struct {
		PhysicalResourceId string //nolint:revive // CloudFormation's name
		Data               map[string]string
	}
	if err := json.Unmarshal(a.body, &got); err != nil || a.failed || got.PhysicalResourceId == "" {
		r.Fatalf("no answer to CloudFormation: %v, %s", err, a.body)
	}
	got.Data["id"] = got.PhysicalResourceId
	return got.Data
}

// The handler from first deployment to the end of the stack, in one sandbox.
func TestHandlerUnderARuntimeEndpoint(t *testing.T) {
	t.Parallel()
	p := newPlace(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);"})
	r := newRuntime(p, "SLIPWAY_LOG_GROUP=the-log")
	created := r.data(r.invoke(cfn("Create", `,"ResourceProperties":{"Order":"10","Release":"aaaaaaaaaaaa"}`),
		time.Minute))
	if created["SchemaVersion"] != "1" || created["Applied"] != "1" || created["Pending"] != "0" ||
		len(created["Release"]) != 12 {
		t.Errorf("Create: %v", created)
	}
	id := `,"PhysicalResourceId":"` + created["id"] + `"`
	properties := func(order, before string) string {
		return id + `,"ResourceProperties":{"Order":"` + order + `","Release":"x"},"OldResourceProperties":{"Order":"` +
			before + `"}`
	}
	if again := r.data(r.invoke(cfn("Create", ""), time.Minute)); again["id"] != created["id"] ||
		again["Applied"] != "0" || again["SchemaVersion"] != "1" {
		t.Errorf("Create, sent twice: %v", again)
	}
	p.write("V2__b.sql", "CREATE TABLE b (id int);")
	if updated := r.data(r.invoke(cfn("Update", properties("11", "10")),
		time.Minute)); updated["id"] != created["id"] || updated["Applied"] != "1" || updated["SchemaVersion"] != "2" {
		t.Errorf("Update: %v", updated)
	}
	p.write("V3__c.sql", "SELECT 1;\n\nSELECT 1/0;")
	failed := r.invoke(cfn("Update", properties("12", "11")), time.Minute)
	if !failed.failed || failed.Type != "MIGRATION_FAILED" ||
		!strings.HasPrefix(failed.Message, "MIGRATION_FAILED in V3__c.sql line 3 (SQLSTATE 22012): division by zero") ||
		!strings.HasSuffix(failed.Message, "Log: the-log, request "+failed.requestID+".") ||
		strings.Contains(failed.Message, "\n") {
		t.Errorf("a failed Update: %+v", failed)
	}

	// The rollback that follows, and the end, with the database and its secret gone.
	p.exec("ALTER TABLE a RENAME TO gone")
	p.secrets.Set("db", "{}")
	if back := r.data(r.invoke(cfn("Update", properties("11", "12")),
		time.Minute)); back["SchemaVersion"] != "unchanged" || back["id"] != created["id"] {
		t.Errorf("the rollback: %v", back)
	}
	if end := r.data(r.invoke(cfn("Delete", id), time.Minute)); end["id"] != created["id"] {
		t.Errorf("Delete: %v", end)
	}
	broken := r.invoke(cfn("Update", properties("12", "11")), time.Minute)
	if broken.Type != "SECRET_UNREADABLE" {
		t.Errorf("without a secret: %+v", broken)
	}
	if odd := r.invoke(cfn("Destroy", ""), time.Minute); odd.Type != "BAD_REQUEST" ||
		!strings.Contains(odd.Message, "Destroy") {
		t.Errorf("an odd event: %+v", odd)
	}
	for _, line := range strings.Split(strings.TrimSpace(r.logged()), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line of the log is no JSON: %s", line)
		}
	}
}

// logged ends the program and returns what it logged.
func (r *runtime) logged() string {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	return r.err.String()
}

func TestDirectRequestsUnderARuntimeEndpoint(t *testing.T) {
	t.Parallel()
	p := newPlace(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);",
		"V2__b.sql": "CREATE TABLE b (id int);"})
	r := newRuntime(p)
	if a := r.invoke(`{"command":"info"}`, time.Minute); a.failed || len(p.json(string(a.body)).Pending) != 2 {
		t.Errorf("info: %s", a.body)
	}
	if a := r.invoke(`{"command":"migrate","target":"1"}`, time.Minute); a.failed ||
		p.json(string(a.body)).SchemaVersionAfter != "1" {
		t.Errorf("migrate: %s", a.body)
	}
	reads := p.secrets.Reads("db")
	a := r.invoke(`{"command":"migrate","secretArn":"`+p.arn+`"}`, time.Minute)
	if rep := p.json(a.Message); !a.failed || rep.Code != report.BadRequest ||
		!strings.Contains(rep.Message, "secretArn") || !strings.Contains(rep.Next, "MASTER_SECRET_ARN") {
		t.Errorf("a secret of the request: %+v", a)
	}
	if now := p.secrets.Reads("db"); now != reads {
		t.Errorf("a refused request read the secret")
	}
	if a := r.invoke(`{"command":"migrate"}`, time.Minute); a.failed ||
		p.json(string(a.body)).SchemaVersionAfter != "2" {
		t.Errorf("migrate: %s", a.body)
	}
	for payload, want := range map[string]string{
		`{"command":"clean"}`: "clean", `{"command":"info","tragte":1}`: "tragte", `{"command"`: "JSON", `[]`: "JSON",
		``: "JSON", `null`: "JSON", "\xff": "JSON",
	} {
		if a := r.invoke(payload, time.Minute); !a.failed || a.Type != "BAD_REQUEST" ||
			!strings.Contains(a.Message, want) {
			t.Errorf("%s: %+v", payload, a)
		}
	}
	// After all that it is still the same process, and well.
	if a := r.invoke(`{"command":"validate"}`, time.Minute); a.failed {
		t.Errorf("validate: %+v", a)
	}
}

// The function that only reads: the same program with one setting more.
func TestInspectorUnderARuntimeEndpoint(t *testing.T) {
	t.Parallel()
	p := newPlace(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);",
		"afterConnect.sql": "SET default_transaction_read_only = off; CREATE TABLE planted (id int);"})
	r := newRuntime(p, "SLIPWAY_READ_ONLY=true")
	for _, command := range []string{"info", "validate"} {
		a := r.invoke(`{"command":"`+command+`"}`, time.Minute)
		rep := p.json(cmp.Or(a.Message, string(a.body)))
		if rep.Code == report.BadRequest || len(rep.Undecided) != 1 || rep.FlywayVersion != "" {
			t.Errorf("%s: %+v", command, a)
		}
	}
	for _, payload := range []string{`{"command":"migrate"}`, `{"command":"repair"}`,
		`{"command":"baseline","target":"1"}`, `{"command":"revert","to":"0"}`} {
		if a := r.invoke(payload, time.Minute); a.Type != "BAD_REQUEST" ||
			!strings.Contains(p.json(a.Message).Next, "FunctionName") {
			t.Errorf("%s: %+v", payload, a)
		}
	}
	for _, event := range []string{cfn("Create", ""),
		cfn("Update", `,"PhysicalResourceId":"x","ResourceProperties":{"Order":"2"},"OldResourceProperties":{"Order":"1"}`)} {
		if a := r.invoke(event, time.Minute); a.Type != "BAD_REQUEST" || !strings.Contains(a.Message, "only reads") {
			t.Errorf("an event of CloudFormation: %+v", a)
		}
	}
	if made := p.ask("SELECT count(*) FROM pg_class WHERE relname IN ('a', 'planted', 'flyway_schema_history')"); made != "0" {
		t.Errorf("%s tables were made", made)
	}
}

// A setting that is not understood opens nothing.
func TestInspectorWithABrokenSetting(t *testing.T) {
	t.Parallel()
	p := newPlace(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);"})
	r := newRuntime(p, "SLIPWAY_READ_ONLY=yes")
	if a := r.invoke(`{"command":"migrate"}`, time.Minute); a.Type != "BAD_REQUEST" ||
		!strings.Contains(a.Message, "SLIPWAY_READ_ONLY") {
		t.Errorf("%+v", a)
	}
}

func TestBrokenSettingsAreAnsweredNotFatal(t *testing.T) {
	t.Parallel()
	p := newPlace(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	r := newRuntime(p, "FLYWAY_MIXED=true", "SLIPWAY_LOCK_WAIT=soon")
	a := r.invoke(cfn("Create", ""), time.Minute)
	if !a.failed || a.Type != "BAD_REQUEST" || !strings.Contains(a.Message, "FLYWAY_MIXED") ||
		!strings.Contains(a.Message, "SLIPWAY_LOCK_WAIT") {
		t.Errorf("Create: %+v", a)
	}
	if a := r.invoke(cfn("Delete", ""), time.Minute); a.failed {
		t.Errorf("Delete: %+v", a)
	}
}

func TestAnswerComesBeforeLambdasDeadline(t *testing.T) {
	t.Parallel()
	p := newPlace(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);", "V2__b.sql": "SELECT pg_sleep(600);"})
	r := newRuntime(p)
	begun := time.Now()
	a := r.invoke(cfn("Create", ""), 8*time.Second)
	if took := time.Since(begun); !a.failed || a.Type != "DEADLINE" || took > 8*time.Second ||
		!strings.Contains(a.Message, "Applied before it: 1") {
		t.Errorf("after %s: %+v", took, a)
	}
	if left := p.ask("SELECT count(*) " + ours); left != "0" {
		t.Errorf("%s sessions are left", left)
	}
	p.write("V2__b.sql", "SELECT 2;")
	if next := r.data(r.invoke(cfn("Create", ""), time.Minute)); next["SchemaVersion"] != "2" ||
		next["Applied"] != "1" {
		t.Errorf("the next event: %v", next)
	}
}

func TestServeIsTheSameHandler(t *testing.T) {
	t.Parallel()
	p := newPlace(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);"})
	port := freePort(t)
	cmd, out, _ := p.process(nil, "serve", "--addr", "127.0.0.1:"+port)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill() //nolint:errcheck // ended below, if all goes well
	var response *http.Response
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var err error
		if response, err = http.Post("http://127.0.0.1:"+port+"/2015-03-31/functions/function/invocations", "",
			strings.NewReader(cfn("Create", ""))); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if !strings.Contains(string(body), `"SchemaVersion":"1"`) {
		t.Errorf("answered %s", body)
	}
	if err := endInOrder(cmd); err != nil {
		t.Errorf("its end: %v", err)
	}
	if !strings.Contains(out.String(), "Applied (1)") {
		t.Errorf("printed %s", out)
	}
}
