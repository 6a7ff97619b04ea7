package ground

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// AWS is the emulator as one of its accounts sees it in one region. The
// emulator takes twelve digits, as an access key, for the account itself, and
// believes any signature.
type AWS struct {
	Region string

	g       *Ground
	account string
	key     string // access key: the account itself, or that of a role's session
	// token is a role's, who was assumed.
	token string
}

// AWS is an account in a region, with all rights there.
func (g *Ground) AWS(account, region string) AWS {
	return AWS{Region: region, g: g, account: account, key: account}
}

// Environment has a program call the emulator so, and nothing else.
func (a AWS) Environment() map[string]string {
	env := map[string]string{
		"AWS_ENDPOINT_URL": a.g.emulator.url(), "AWS_ENDPOINT_URL_S3": a.g.emulator.url(), "AWS_REGION": a.Region,
		"AWS_DEFAULT_REGION": a.Region,
		"AWS_ACCESS_KEY_ID":  a.key, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"CDK_DOCKER": a.g.engine.client, "DOCKER_BUILDKIT": a.g.engine.buildKit,
		"CDK_DISABLE_CLI_TELEMETRY": "1", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
		"JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
	}
	if a.token != "" {
		env["AWS_SESSION_TOKEN"] = a.token
	}
	return env
}

// Over is the environment of a program: env with the emulator in place of AWS.
// No profile, no session and no other endpoint may lead to a real account.
func (a AWS) Over(env []string) []string {
	var out []string
	for _, entry := range env {
		if !strings.HasPrefix(entry, "AWS_") && !strings.HasPrefix(entry, "DOCKER_BUILDKIT=") {
			out = append(out, entry)
		}
	}
	for name, value := range a.Environment() {
		out = append(out, name+"="+value)
	}
	return out
}

// secretKey belongs to every access key.
const secretKey = "local"

// Assume is the account and the rights of a role, in the same region, in a
// session of that name.
func (a AWS) Assume(ctx context.Context, role, session string) (AWS, error) {
	body, err := a.query(ctx, "sts", "2011-06-15", "AssumeRole",
		url.Values{"RoleArn": {role}, "RoleSessionName": {session}})
	if err != nil {
		return AWS{}, err
	}
	var answer struct {
		Key   string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		Token string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil || answer.Key == "" {
		return AWS{}, fmt.Errorf("an answer that is not understood (%w): %s", err, body)
	}
	return AWS{Region: a.Region, g: a.g, account: accountOf(role), key: answer.Key, token: answer.Token}, nil
}

// Stack asks CloudFormation.
func (a AWS) Stack(ctx context.Context, name string) (Stack, error) {
	var answer struct {
		Stacks []struct {
			Status  string `xml:"StackStatus"`
			Outputs []struct {
				Key   string `xml:"OutputKey"`
				Value string `xml:"OutputValue"`
			} `xml:"Outputs>member"`
		} `xml:"DescribeStacksResult>Stacks>member"`
	}
	body, err := a.cloudFormation(ctx, "DescribeStacks", url.Values{"StackName": {name}})
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

// Reasons are CloudFormation's words on what failed in a stack, the last first.
func (a AWS) Reasons(ctx context.Context, stack string) ([]string, error) {
	var answer struct {
		Events []struct {
			Status string `xml:"ResourceStatus"`
			Reason string `xml:"ResourceStatusReason"`
		} `xml:"DescribeStackEventsResult>StackEvents>member"`
	}
	body, err := a.cloudFormation(ctx, "DescribeStackEvents", url.Values{"StackName": {stack}})
	if err != nil {
		return nil, err
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	var reasons []string
	for _, event := range answer.Events {
		if strings.HasSuffix(event.Status, "_FAILED") {
			reasons = append(reasons, event.Reason)
		}
	}
	return reasons, nil
}

// ReplaceChangeSet does what a pipeline's CHANGE_SET_REPLACE does: the change
// set of that name is made anew, for a stack that may not exist yet.
func (a AWS) ReplaceChangeSet(ctx context.Context, stack, name, role, capabilities, template string) error {
	kind := "UPDATE"
	s, err := a.Stack(ctx, stack)
	if err == nil && s.Status == "ROLLBACK_COMPLETE" {
		return fmt.Errorf("stack %s is in ROLLBACK_COMPLETE state and can not be updated", stack)
	}
	if err != nil || s.Status == "REVIEW_IN_PROGRESS" {
		kind = "CREATE"
	} else if _, err := a.cloudFormation(ctx, "DeleteChangeSet",
		url.Values{"StackName": {stack}, "ChangeSetName": {name}}); err != nil &&
		!strings.Contains(err.Error(), "ChangeSetNotFound") {
		return err
	}
	form := url.Values{"StackName": {stack}, "ChangeSetName": {name}, "ChangeSetType": {kind}, "RoleARN": {role},
		"TemplateBody": {template}}
	for i, capability := range strings.Split(capabilities, ",") {
		form.Set(fmt.Sprintf("Capabilities.member.%d", i+1), capability)
	}
	if _, err := a.cloudFormation(ctx, "CreateChangeSet", form); err != nil {
		return err
	}
	for {
		body, err := a.cloudFormation(ctx, "DescribeChangeSet",
			url.Values{"StackName": {stack}, "ChangeSetName": {name}})
		if err != nil {
			return err
		}
		if strings.Contains(string(body), "<Status>CREATE_COMPLETE<") ||
			strings.Contains(string(body), "contain changes") {
			return nil
		}
		if strings.Contains(string(body), "<Status>FAILED<") {
			return fmt.Errorf("change set of %s: %s", stack, body)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// ExecuteChangeSet does what CHANGE_SET_EXECUTE does, and waits. An empty
// change set changes nothing.
func (a AWS) ExecuteChangeSet(ctx context.Context, stack, name string) error {
	body, err := a.cloudFormation(ctx, "DescribeChangeSet", url.Values{"StackName": {stack}, "ChangeSetName": {name}})
	if err != nil {
		return err
	}
	if strings.Contains(string(body), "contain changes") {
		return nil
	}
	if _, err := a.cloudFormation(ctx, "ExecuteChangeSet",
		url.Values{"StackName": {stack}, "ChangeSetName": {name}}); err != nil {
		return err
	}
	for {
		s, err := a.Stack(ctx, stack)
		switch {
		case err != nil:
			return err
		case s.Status == "CREATE_COMPLETE" || s.Status == "UPDATE_COMPLETE":
			return nil
		case !strings.HasSuffix(s.Status, "_IN_PROGRESS"):
			reasons, err := a.Reasons(ctx, stack)
			return fmt.Errorf("%s is in %s: %s (%w)", stack, s.Status, strings.Join(reasons, "; "), err)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(100 * time.Millisecond):
		return nil
	}
}

func (a AWS) cloudFormation(ctx context.Context, action string, form url.Values) ([]byte, error) {
	return a.query(ctx, "cloudformation", "2010-05-15", action, form)
}

// query calls a service that takes forms.
func (a AWS) query(ctx context.Context, service, version, action string, form url.Values) ([]byte, error) {
	form.Set("Action", action)
	form.Set("Version", version)
	return a.call(ctx, service, http.MethodPost, "/", "application/x-www-form-urlencoded", "", []byte(form.Encode()))
}

// json calls a service that takes JSON.
func (a AWS) json(ctx context.Context, service, target string, input any) ([]byte, error) {
	body, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	return a.call(ctx, service, http.MethodPost, "/", "application/x-amz-json-1.1", target, body)
}

func (a AWS) call(ctx context.Context, service, method, path, kind, target string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.g.emulator.url()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", kind)
	if target != "" {
		request.Header.Set("X-Amz-Target", target)
	}
	if a.token != "" {
		request.Header.Set("X-Amz-Security-Token", a.token)
	}
	// The emulator reads who calls, where and which service, and not the signature.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+a.key+"/20000101/"+a.Region+"/"+service+
		"/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return answer, err
}
