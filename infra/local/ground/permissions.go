package ground

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// permissions is the log of every call that the emulator asked policies about.
func (g *Ground) permissions() string { return filepath.Join(g.folder, "permissions.jsonl") }

// Permissions reports which statements of the roles' policies the calls so far
// used, and what is wrong with that. whole says that all deployments have run:
// then each statement that no call needs has to be explained in unused.json.
func (g *Ground) Permissions(ctx context.Context, whole bool) (table string, problems []string, err error) {
	reasons := filepath.Join("permissions", "unused.json")
	args := []string{"-m", "permissions.report", g.permissions(), reasons}
	if whole {
		args = append(args, "--whole")
	}
	out, err := g.local(ctx, args...)
	if err != nil {
		return "", nil, err
	}
	for line := range strings.Lines(out) {
		if problem, ok := strings.CutPrefix(line, "problem: "); ok {
			problems = append(problems, strings.TrimSpace(problem))
			continue
		}
		table += line
	}
	return table, problems, nil
}

// PermissionRules tries the rules by which calls are allowed, denied and
// reported, without the emulator.
func (g *Ground) PermissionRules(ctx context.Context) error {
	_, err := g.local(ctx, "-m", "unittest", "permissions.rules_test")
	return err
}

// local runs the emulator's python in infra/local.
func (g *Ground) local(ctx context.Context, args ...string) (string, error) {
	python, err := g.installEmulator(ctx)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, python, args...)
	cmd.Dir = filepath.Join(g.options.Root, "infra", "local")
	var failure bytes.Buffer
	cmd.Stderr = &failure
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("permissions: %w: %s", err, last(failure.String()))
	}
	return string(out), nil
}

// Take takes an action out of a role's policies, as its holder's name and the
// action stand in the report of [Ground.Permissions], until [Ground.GiveBack].
func (g *Ground) Take(ctx context.Context, holder, action string) error {
	return g.home().tell(ctx, "take", map[string]string{"holder": holder, "action": action}, nil)
}

// GiveBack undoes every [Ground.Take].
func (g *Ground) GiveBack(ctx context.Context) error {
	return g.home().tell(ctx, "take", map[string]string{}, nil)
}

// As is a session of a role that an AWS service assumes, in the same region.
func (a AWS) As(ctx context.Context, service, role string) (AWS, error) {
	var session struct{ Key, Token string }
	err := a.tell(ctx, "assume", map[string]string{"service": service, "role": role}, &session)
	return AWS{Region: a.Region, g: a.g, account: accountOf(role), key: session.Key, token: session.Token}, err
}

// Happened has the policies asked about the calls that AWS's services make
// when something happens: rows of permissions/derived.json. A call that would
// be denied is an error.
func (a AWS) Happened(ctx context.Context, event string, facts map[string]string) error {
	told := map[string]string{"event": event, "account": a.account, "region": a.Region}
	for name, value := range facts {
		told[name] = value
	}
	return a.tell(ctx, "happened", told, nil)
}

// tell tells the emulator something that AWS has no call for.
func (a AWS) tell(ctx context.Context, verb string, input, output any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	answer, err := a.call(ctx, "local", "POST", "/_local/permissions/"+verb, "application/json", "", body)
	if err != nil || output == nil {
		return err
	}
	return json.Unmarshal(answer, output)
}

// accountOf is the account in an ARN, "" where it has none.
func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}
