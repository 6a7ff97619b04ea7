//go:build deploy

// Deployments for real, on the ground: make test-deploy. Each case starts from
// what the one before left, as deployments do.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/infra/local/ground"
)

// cases are the deployments, in order. Their count is printed at the end, so
// that a run that lost some can be told.
var cases = []struct {
	name string
	run  func(*site)
}{
	{"a rules of permissions", permissionRules},
	{"a create", create},
	{"b again with nothing changed", nothingChanged},
	{"b asked from a laptop", operate},
	{"b functions that were idle", idleFunctions},
	{"b comments edited in applied scripts", editedComments},
	{"b examined by the doctor", examine},
	{"b pointed at a restored database", pointAtRestored},
	{"b what would replace the database", replacement},
	{"c one script added", oneScriptAdded},
	{"d a failing script", failingScript},
	{"e the fixed script", fixedScript},
	{"f the second of two scripts fails", secondScriptFails},
	{"f the database is stopped", databaseStopped},
	{"g a failing script in the first deployment", firstDeploymentFails},
	{"h a database with tables and no history", tablesWithoutHistory},
	{"h a right taken away", rightTakenAway},
	{"i destroy", destroy},
	{"j a database that exists", existingDatabase},
	{"k the image as a command", imageAsCommand},
	{"k the image's class-data archive", imageArchive},
	{"l the image as a server", imageAsServer},
	{"m the image under AWS's runtime emulator", imageUnderLambda},
	{"n an empty account and a laptop", fromALaptop},
	{"o two empty accounts and a pipeline", firstMigration},
	{"p a pipeline that could not be made, in a fresh account", pipelineNotMade},
	{"q everything taken down, and deployed again", takenDown},
}

func TestDeployments(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Abs("testdata/scripts")
	if err != nil {
		t.Fatal(err)
	}
	g, err := ground.Start(t.Context(), ground.Options{Root: root, Scripts: scripts, Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	ran, passed := 0, 0
	for _, c := range cases {
		// A case that fails leaves the next one on unknown ground.
		if t.Failed() {
			break
		}
		t.Run(c.name, func(t *testing.T) {
			ran++
			c.run(&site{T: t, g: g})
			if t.Failed() {
				t.Logf("the emulator's log ends:\n%s", g.EmulatorLog())
				return
			}
			passed++
		})
	}
	permissions(t, g, passed == len(cases))
	fmt.Fprintf(os.Stderr, "test-deploy: %d of %d cases ran, %d passed\n", ran, len(cases), passed)
	if ran != len(cases) && flag.Lookup("test.run").Value.String() == "" {
		t.Errorf("%d of %d cases ran", ran, len(cases))
	}
}

func permissionRules(s *site) { s.check(s.g.PermissionRules(s.Context())) }

// permissions prints which statements of the roles' policies were used. After
// all cases each is used or explained.
func permissions(t *testing.T, g *ground.Ground, whole bool) {
	table, problems, err := g.Permissions(t.Context(), whole)
	if err != nil {
		t.Error(err)
	}
	fmt.Fprintln(os.Stderr, table)
	for _, problem := range problems {
		t.Errorf("permissions: %s", problem)
	}
}

// site is one case's view of the ground; whatever fails ends the case.
type site struct {
	*testing.T
	g *ground.Ground
}

// configure makes this the only environment; without settings it is a throw-away one.
func (s *site) configure(environment string, settings map[string]any) {
	s.Helper()
	if settings == nil {
		settings = map[string]any{"throwaway": true}
	}
	s.check(s.g.Configure(map[string]map[string]any{environment: settings}))
}

func (s *site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) write(name, statements string) {
	s.Helper()
	s.check(s.g.Write(name, statements))
}

// deploy deploys an environment and returns the calls that it made of the function.
func (s *site) deploy(environment string) []ground.Call {
	s.Helper()
	before := len(s.calls())
	if out, err := s.g.Deploy(s.Context(), environment); err != nil {
		s.Fatalf("%v\n%s", err, relevant(out))
	}
	return s.calls()[before:]
}

// deployInVain wants the deployment to fail, and each of the texts in what the CDK prints.
func (s *site) deployInVain(environment string, texts ...string) []ground.Call {
	s.Helper()
	before := len(s.calls())
	out, err := s.g.Deploy(s.Context(), environment)
	if err == nil {
		s.Fatal("the deployment succeeded")
	}
	// The CDK wraps lines.
	printed := strings.Join(strings.Fields(out), " ")
	for _, text := range texts {
		if !strings.Contains(printed, text) {
			s.Errorf("the CDK did not print %q but\n%s", text, relevant(out))
		}
	}
	return s.calls()[before:]
}

func (s *site) calls() []ground.Call {
	s.Helper()
	calls, err := s.g.Calls()
	s.check(err)
	return calls
}

func (s *site) stack(name string) ground.Stack {
	s.Helper()
	stack, err := s.g.Stack(s.Context(), name)
	s.check(err)
	return stack
}

func (s *site) wantStatus(stack, want string) {
	s.Helper()
	if got := s.stack(stack).Status; got != want {
		s.Errorf("%s is in %s, want %s", stack, got, want)
	}
}

// wantOutputs compares the outputs of an environment's stack.
func (s *site) wantOutputs(environment, version, applied string) {
	s.Helper()
	out := s.stack("slipway-" + environment).Outputs
	if out["SchemaVersion"] != version || out["Applied"] != applied || out["FunctionName"] == "" {
		s.Errorf("outputs %v, want schema version %s and %s applied", out, version, applied)
	}
}

// history is what Flyway has noted: one line for each row.
func (s *site) history(database string) []string {
	s.Helper()
	return s.texts(database,
		`SELECT concat_ws(' ', installed_rank, script, CASE WHEN success THEN 'ok' ELSE 'failed' END) FROM flyway_schema_history ORDER BY installed_rank`)
}

func (s *site) relations(database string) []string {
	s.Helper()
	return s.texts(database,
		`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') AND relname <> 'flyway_schema_history' ORDER BY 1`)
}

func (s *site) texts(database, query string) []string {
	s.Helper()
	texts, err := s.g.Database.Texts(s.Context(), database, query)
	s.check(err)
	return texts
}

func (s *site) wantEqual(what string, got, want []string) {
	s.Helper()
	if !slices.Equal(got, want) {
		s.Errorf("%s: %q, want %q", what, got, want)
	}
}

// wantCalls compares the kinds of events, in order.
func (s *site) wantCalls(calls []ground.Call, want ...string) {
	s.Helper()
	var got []string
	for _, call := range calls {
		kind := call.Event.RequestType
		if call.Failed {
			kind += " failed"
		}
		got = append(got, kind)
	}
	s.wantEqual("calls of the function", got, want)
}

// message is what the function answered CloudFormation, for people.
func (s *site) message(call ground.Call) string {
	s.Helper()
	var answer struct{ Data struct{ Message string } }
	s.check(json.Unmarshal(call.Answer, &answer))
	return answer.Data.Message
}

func (s *site) image(environment string) string {
	s.Helper()
	image, err := s.g.FunctionImage(s.Context(), s.stack("slipway-" + environment).Outputs["FunctionName"])
	s.check(err)
	if image == "" {
		s.Fatal("the function has no image")
	}
	return image
}

func (s *site) wantNoStack(name string) {
	s.Helper()
	if stack, err := s.g.Stack(s.Context(), name); !errors.Is(err, ground.ErrNoStack) &&
		stack.Status != "DELETE_COMPLETE" {
		s.Errorf("stack %s: %v, %v; want none", name, stack.Status, err)
	}
}
