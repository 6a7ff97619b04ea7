//go:build deploy

package main

import "strings"

// operate asks the deployed function from a laptop: the same table as
// everywhere, and what a release would do before it is deployed.
func operate(s *site) {
	settings := map[string]any{"throwaway": true}
	s.check(s.g.Configure(map[string]map[string]any{"local": settings, "first": settings}))
	before := len(s.calls())
	s.wantPrinted("info --environment local", "PostgreSQL", "customers", "Success", "3 applied, 0 pending")
	s.wantPrinted("validate --environment local", "OK")
	s.wantPrinted("repair --environment local", "OK")
	// A repair asks the inspector first.
	if n := len(s.calls()) - before; n != 4 {
		s.Errorf("%d calls of the functions, not 4", n)
	}
	s.inspectorOnlyReads("local")
	s.wantPrinted("pending --environment local", "3 applied, 0 pending")
	s.write("V3__pending.sql", "SELECT 1;")
	s.wantPrinted("pending --environment local", "3 applied, 1 pending", "Pending")
	s.check(s.g.Remove("V3__pending.sql"))

	out, err := s.g.Workbench(s.Context(), "info", "--environment", "lokal")
	if err == nil || !strings.Contains(out, `no such environment: "lokal"`) {
		s.Errorf("a wrong environment: %v\n%s", err, out)
	}
	out, err = s.g.Workbench(s.Context(), "info", "--environment", "first")
	if err == nil || !strings.Contains(out, "not deployed") {
		s.Errorf("an environment that is not deployed: %v\n%s", err, out)
	}
	s.configure("local", nil)
}

// inspectorOnlyReads asks the deployed inspector for more than it may.
func (s *site) inspectorOnlyReads(environment string) {
	s.Helper()
	outputs := s.stack("slipway-" + environment).Outputs
	if outputs["InspectorName"] == outputs["FunctionName"] {
		s.Fatalf("one function for both: %v", outputs)
	}
	for _, event := range []string{`{"command":"migrate"}`, `{"command":"repair"}`, `{"command":"revert","to":"0"}`} {
		answer, err := s.g.Invoke(s.Context(), outputs["InspectorName"], event)
		s.check(err)
		if !strings.Contains(answer, "BAD_REQUEST") || !strings.Contains(answer, "only reads") {
			s.Errorf("%s: %s", event, answer)
		}
	}
}

func (s *site) wantPrinted(command string, parts ...string) {
	s.Helper()
	out, err := s.g.Workbench(s.Context(), strings.Fields(command)...)
	if err != nil {
		s.Fatalf("%v\n%s", err, out)
	}
	for _, part := range parts {
		if !strings.Contains(out, part) {
			s.Errorf("workbench %s: no %q in\n%s", command, part, out)
		}
	}
}
