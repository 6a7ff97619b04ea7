package ground

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
)

// Stack is what CloudFormation says of a stack.
type Stack struct {
	Status  string
	Outputs map[string]string
}

// ErrNoStack says that there is no such stack.
var ErrNoStack = errors.New("no such stack")

// home is where everything is that has no account of its own.
func (g *Ground) home() AWS { return g.AWS(Account, Region) }

// Stack asks the emulator's CloudFormation.
func (g *Ground) Stack(ctx context.Context, name string) (Stack, error) {
	return g.home().Stack(ctx, name)
}

// Call is one call of an image function, as the emulator saw it.
type Call struct {
	Event struct {
		RequestType           string // Create, Update or Delete; "" for a direct call
		ResourceProperties    map[string]any
		OldResourceProperties map[string]any
	} `json:"event"`
	Answer json.RawMessage `json:"answer"`
	Failed bool            `json:"failed"`
	Log    string          `json:"log"`
}

// Calls are all calls of image functions since the ground started.
func (g *Ground) Calls() ([]Call, error) {
	content, err := os.ReadFile(g.emulator.events)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var calls []Call
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, len(content)+1)
	for lines.Scan() {
		var call Call
		if err := json.Unmarshal(lines.Bytes(), &call); err != nil {
			return nil, err
		}
		calls = append(calls, call)
	}
	return calls, lines.Err()
}

// EmulatorLog is the end of the emulator's log.
func (g *Ground) EmulatorLog() string { return tail(g.emulator.log) }

// Access says how to reach the ground from a shell.
func (g *Ground) Access() string {
	return fmt.Sprintf("AWS:        AWS_ENDPOINT_URL=%s AWS_REGION=%s AWS_ACCESS_KEY_ID=%s "+
		"AWS_SECRET_ACCESS_KEY=%s\nPostgreSQL: %s\nProject:    %s",
		g.emulator.url(), Region, Account, secretKey, g.Database.server.URL("app"), g.Project)
}

// FunctionImage is the URI of the image that a function runs.
func (g *Ground) FunctionImage(ctx context.Context, name string) (string, error) {
	body, err := g.home().call(ctx, "lambda", http.MethodGet, "/2015-03-31/functions/"+url.PathEscape(name), "", "",
		nil)
	if err != nil {
		return "", err
	}
	var answer struct {
		Code struct {
			ImageURI string `json:"ImageUri"`
		}
	}
	err = json.Unmarshal(body, &answer)
	return answer.Code.ImageURI, err
}

// Invoke calls a function with an event, and returns what it answered.
func (g *Ground) Invoke(ctx context.Context, name, event string) (string, error) {
	body, err := g.home().call(ctx, "lambda", http.MethodPost, "/2015-03-31/functions/"+url.PathEscape(name)+
		"/invocations", "application/json", "", []byte(event))
	return string(body), err
}

// NewSecret makes a secret and returns its ARN.
func (g *Ground) NewSecret(ctx context.Context, name string, value map[string]any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	body, err := g.home().json(ctx, "secretsmanager", "secretsmanager.CreateSecret",
		map[string]string{"Name": name, "SecretString": string(text)})
	if err != nil {
		return "", err
	}
	var answer struct{ ARN string }
	err = json.Unmarshal(body, &answer)
	return answer.ARN, err
}
