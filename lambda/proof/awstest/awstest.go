// Package awstest is a stand-in for the AWS services that the workbench calls,
// for tests: CloudFormation and Lambda of an environment, STS, and pull
// requests of CodeCommit. It speaks their protocols over HTTP and knows who
// calls: assuming a role gives keys that stand for it. It checks no signature
// and no policy.
package awstest

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Account is the account of everything here.
const Account = "111122223333"

// Function answers a call: the payload, and whether it is a function error.
type Function func(payload []byte) (answer string, failed bool)

// Idle is a function that was idle for long: Lambda refuses so many calls with
// this code, and says that it is in this state.
type Idle struct {
	Refusals    int
	Code, State string
}

// AWS is a running stand-in. Fill its maps before it is called.
type AWS struct {
	URL       string
	Stacks    map[string]map[string]string // outputs by stack
	Status    map[string]string            // of stacks; default CREATE_COMPLETE
	Templates map[string]string            // of stacks that exist, as JSON
	Functions map[string]Function
	Idle      map[string]Idle         // functions that have to be brought back first
	Pulls     map[string]*PullRequest // by id

	// What is there besides; of none of these is anything there by default.
	Protected map[string]bool              // stacks with termination protection
	Resources map[string][]Resource        // by stack
	Variables map[string]map[string]string // of functions
	Secrets   map[string]int               // ARN → when it is to be deleted, in Unix seconds; 0 for never
	Endpoints map[string]string            // id → state
	LogGroups map[string]bool
	Denied    map[string]bool // operations that nobody may call

	mu     sync.Mutex
	calls  []Call
	roles  map[string]string // access key → ARN of the session
	nextID int
}

// Call is one request: who called which operation.
type Call struct{ Who, Operation string }

// Start starts a stand-in that ends with the test.
func Start(t testing.TB) *AWS {
	t.Helper()
	a := &AWS{Stacks: map[string]map[string]string{}, Status: map[string]string{}, Templates: map[string]string{},
		Functions: map[string]Function{}, Idle: map[string]Idle{}, Pulls: map[string]*PullRequest{},
		roles: map[string]string{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.URL = server.URL
	return a
}

// Environment has a process, or this one, call the stand-in as the user
// arn:aws:iam::…:user/test.
func (a *AWS) Environment() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL": a.URL, "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": "/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
	}
}

// Use sets the environment of this process for the test.
func (a *AWS) Use(t *testing.T) {
	t.Helper()
	for name, value := range a.Environment() {
		t.Setenv(name, value)
	}
}

// Calls are all requests so far.
func (a *AWS) Calls() []Call {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Call{}, a.calls...)
}

// Did reports whether somebody whose ARN ends so has called the operation.
func (a *AWS) Did(who, operation string) bool {
	for _, c := range a.Calls() {
		if c.Operation == operation && strings.HasSuffix(c.Who, who) {
			return true
		}
	}
	return false
}

var credential = regexp.MustCompile(`Credential=([^/]+)/`)

func (a *AWS) who(r *http.Request) string {
	found := credential.FindStringSubmatch(r.Header.Get("Authorization"))
	if found == nil {
		return "nobody"
	}
	if arn, ok := a.roles[found[1]]; ok {
		return arn
	}
	return "arn:aws:iam::" + Account + ":user/" + found[1]
}

// ServeHTTP answers one request.
func (a *AWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	who := a.who(r)
	note := func(operation string) { a.calls = append(a.calls, Call{who, operation}) }
	if target := r.Header.Get("X-Amz-Target"); strings.HasPrefix(target, "CodeCommit_") {
		_, operation, _ := strings.Cut(target, ".")
		note(operation)
		a.codeCommit(w, who, operation, body)
		return
	}
	if target := r.Header.Get("X-Amz-Target"); target == "AmazonSSM.GetParameter" {
		// The CDK's command line asks for the version of its bootstrap.
		note("GetParameter")
		reply(w, map[string]any{"Parameter": map[string]any{"Name": "version", "Type": "String", "Value": "30"}})
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, "/2015-03-31/functions/"); ok && r.Method == http.MethodPost {
		note("Invoke")
		a.invoke(w, strings.TrimSuffix(name, "/invocations"), body)
		return
	}
	if _, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); operation == "DescribeLogGroups" ||
		operation == "DescribeSecret" {
		note(operation)
		if !a.denied(w, operation) {
			a.jsonCall(w, operation, body)
		}
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, "/2015-03-31/functions/"); ok && r.Method == http.MethodGet {
		note("GetFunction")
		if !a.denied(w, "GetFunction") {
			a.configuration(w, name, cmp.Or(a.Idle[name].State, "Active"))
		}
		return
	}
	a.query(w, r, who, body, note)
}

func (a *AWS) invoke(w http.ResponseWriter, name string, payload []byte) {
	f, ok := a.Functions[name]
	if !ok {
		refuse(w, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+name)
		return
	}
	if idle := a.Idle[name]; idle.Refusals > 0 {
		idle.Refusals--
		a.Idle[name] = idle
		refuse(w, http.StatusConflict, idle.Code, "Lambda is getting the function ready")
		return
	}
	answer, failed := f(payload)
	if failed {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
	}
	fmt.Fprint(w, answer)
}

// refuse answers as the services with JSON do.
func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("X-Amzn-Errortype", kind)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type": %q, "message": %q}`, kind, message)
}
