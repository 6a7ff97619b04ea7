package deployed_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"slipway/lambda/proof/awstest"
	"slipway/lambda/workbench/deployed"
)

var requests = []struct {
	request deployed.Request
	reads   bool
}{
	{deployed.Request{Command: "info"}, true},
	{deployed.Request{Command: "validate"}, true},
	{deployed.Request{Command: "revert", To: "1", DryRun: true}, true},
	{deployed.Request{Command: "revert", To: "1"}, false},
	{deployed.Request{Command: "repair"}, false},
}

// What only reads is asked of the inspector, the rest of the other function.
func TestWhoIsAsked(t *testing.T) {
	for _, c := range requests {
		asked := ""
		a := prod(t, nil)
		for name := range a.Functions {
			a.Functions[name] = func(payload []byte) (string, bool) { asked += name; return ok(payload) }
		}
		client, err := deployed.Connect(t.Context(), environment, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Ask(t.Context(), c.request); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{true: "i-1", false: "f-1"}[c.reads]; asked != want {
			t.Errorf("%+v was asked of %q", c.request, asked)
		}
	}
}

// A stack from before there was an inspector: nothing is asked of the function
// that changes the database instead.
func TestNoInspectorYet(t *testing.T) {
	for _, c := range requests {
		a := prod(t, ok)
		delete(a.Stacks["slipway-prod"], "InspectorName")
		client, err := deployed.Connect(t.Context(), environment, "")
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Ask(t.Context(), c.request)
		if errors.Is(err, deployed.ErrNoInspector) != c.reads || a.Did("user/test", "Invoke") == c.reads {
			t.Errorf("%+v: %v, %v", c.request, err, a.Calls())
		}
	}
}

// Lambda makes a function that was idle for weeks Inactive.
func TestAnIdleFunctionIsWaitedFor(t *testing.T) {
	for _, code := range []string{"CodeArtifactUserPendingException", "ResourceConflictException",
		"ResourceNotReadyException"} {
		a := prod(t, ok)
		a.Idle["i-1"] = awstest.Idle{Refusals: 2, Code: code, State: "Pending"}
		client, err := deployed.Connect(t.Context(), environment, "")
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		client.Progress = func(text string) { said = append(said, text) }
		if r, err := client.Ask(t.Context(), deployed.Request{Command: "info"}); err != nil || !r.OK() {
			t.Fatalf("%s: %v", code, err)
		}
		if len(said) != 2 || !strings.Contains(said[0], "i-1 is not ready (Pending)") ||
			!strings.Contains(said[0], "at most 5m0s") {
			t.Errorf("%s: said %q", code, said)
		}
	}
}

func TestAnIdleFunctionThatStaysAway(t *testing.T) {
	for _, c := range []struct {
		state, code, want string
		wait              time.Duration
	}{
		{"Pending", "CodeArtifactUserPendingException", "its state is Pending (as the test has it); try", time.Second},
		{"Failed", "ResourceConflictException", "its state is Failed (as the test has it); deploy", time.Hour},
		{"Active", "TooManyRequestsException", "TooManyRequestsException", time.Hour},
	} {
		a := prod(t, ok)
		a.Idle["f-1"] = awstest.Idle{Refusals: 1000, Code: c.code, State: c.state}
		client, err := deployed.Connect(t.Context(), environment, "")
		if err != nil {
			t.Fatal(err)
		}
		client.Wait = c.wait
		if _, err := client.Ask(t.Context(), deployed.Request{Command: "repair"}); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.state, err)
		}
	}
}
