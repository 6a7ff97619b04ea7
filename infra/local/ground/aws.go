package ground

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Stack is what CloudFormation says of a stack.
type Stack struct {
	Status  string
	Outputs map[string]string
}

// ErrNoStack says that there is no such stack.
var ErrNoStack = errors.New("no such stack")

// Stack asks the emulator's CloudFormation.
func (g *Ground) Stack(ctx context.Context, name string) (Stack, error) {
	var answer struct {
		Stacks []struct {
			Status  string `xml:"StackStatus"`
			Outputs []struct {
				Key   string `xml:"OutputKey"`
				Value string `xml:"OutputValue"`
			} `xml:"Outputs>member"`
		} `xml:"DescribeStacksResult>Stacks>member"`
	}
	body, err := g.query(ctx, "cloudformation", url.Values{"Action": {"DescribeStacks"}, "StackName": {name}, "Version": {"2010-05-15"}})
	if err != nil {
		if strings.Contains(err.Error(), "does not exist") {
			err = fmt.Errorf("%s: %w", name, ErrNoStack)
		}
		return Stack{}, err
	}
	if err := xml.Unmarshal(body, &answer); err != nil || len(answer.Stacks) != 1 {
		return Stack{}, fmt.Errorf("an answer that is not understood (%w): %s", err, body)
	}
	s := Stack{Status: answer.Stacks[0].Status, Outputs: map[string]string{}}
	for _, output := range answer.Stacks[0].Outputs {
		s.Outputs[output.Key] = output.Value
	}
	return s, nil
}

// query calls a service that takes forms.
func (g *Ground) query(ctx context.Context, service string, form url.Values) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.emulator.url(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return g.call(request, service)
}

// call sends a request to the emulator, which looks at the service's name in
// the signature and not at the signature.
func (g *Ground) call(request *http.Request, service string) ([]byte, error) {
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20000101/"+Region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return body, err
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
	return fmt.Sprintf("AWS:        AWS_ENDPOINT_URL=%s AWS_REGION=%s AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\nPostgreSQL: %s\nProject:    %s",
		g.emulator.url(), Region, g.Database.server.URL("app"), g.Project)
}

// FunctionImage is the URI of the image that a function runs.
func (g *Ground) FunctionImage(ctx context.Context, name string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.emulator.url()+"/2015-03-31/functions/"+url.PathEscape(name), nil)
	if err != nil {
		return "", err
	}
	body, err := g.call(request, "lambda")
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

// NewSecret makes a secret and answers its ARN.
func (g *Ground) NewSecret(ctx context.Context, name string, value map[string]any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	form, err := json.Marshal(map[string]string{"Name": name, "SecretString": string(text)})
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.emulator.url(), bytes.NewReader(form))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "secretsmanager.CreateSecret")
	body, err := g.call(request, "secretsmanager")
	if err != nil {
		return "", err
	}
	var answer struct{ ARN string }
	err = json.Unmarshal(body, &answer)
	return answer.ARN, err
}
