package database

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"slipway/lambda/report"
)

const hush = `hush: @ % ' " \ $`

func quoted(s string) string { b, _ := json.Marshal(s); return string(b) }

func TestSecretsThatCanBeRead(t *testing.T) {
	for text, want := range map[string]Secret{
		`{"username":"u","password":"p"}`: {Username: "u", Password: "p"},
		`{"username":"u","password":"p","host":"h","port":5433,"dbname":"d","engine":"postgres","dbClusterIdentifier":"c"}`: {"u", "p", "h", 5433, "d"},
		`{"username":"u","password":"p","port":"5433"}`:                                                                     {Username: "u", Password: "p", Port: 5433},
		`{"username":"u","password":"p","host":null,"port":null}`:                                                           {Username: "u", Password: "p"},
		`{"username":"u","password":` + quoted(hush) +
			`}`: {Username: "u", Password: Password(hush)},
		` {"username":"ü\n😀","password":"\u0000\n\t "} `:           {Username: "ü\n😀", Password: "\x00\n\t "},
		`{"username":"u","password":"p","host":"","masterarn":{}}`: {Username: "u", Password: "p"},
	} {
		got, err := parseSecret(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v (password %q), %v", text, got, string(got.Password), err)
		}
	}
}

func TestSecretsThatCanNot(t *testing.T) {
	for text, want := range map[string]string{
		"":                "is not a JSON object",
		hush:              "is not a JSON object",
		quoted(hush):      "is not a JSON object",
		"null":            "is not a JSON object",
		`["` + "x" + `"]`: "is not a JSON object",
		`{"username":"u","password":` + quoted(hush):              "is not a JSON object",
		`{"username":"u","password":` + quoted(hush) + `}` + hush: "is not a JSON object",
		`{"password":` + quoted(hush) + `}`:                       "has no username",
		`{"username":"","password":` + quoted(hush) + `}`:         "has no username",
		`{"username":"u"}`:                 "has no password",
		`{"username":"u","password":""}`:   "has no password",
		`{"username":"u","password":null}`: "has no password",
		`{"username":"u","password":{"x":` + quoted(hush) +
			`}}`: "has a password that is not text",
		`{"username":["u"],"password":` + quoted(hush) +
			`}`: "has a username that is not text",
		`{"username":"u","password":` + quoted(hush) + `,"host":1}`:      "has a host that is not text",
		`{"username":"u","password":` + quoted(hush) + `,"dbname":true}`: "has a dbname that is not text",
		`{"username":"u","password":` + quoted(hush) + `,"port":` + quoted(hush) +
			`}`: "has a port that is no port number",
		`{"username":"u","password":"p","port":0}`:      "has a port that is no port number",
		`{"username":"u","password":"p","port":65536}`:  "has a port that is no port number",
		`{"username":"u","password":"p","port":5432.5}`: "has a port that is no port number",
		`{"username":"u","password":"p","port":""}`:     "has a port that is no port number",
		`{"username":"u","password":"p","port":[5432]}`: "has a port that is no port number",
	} {
		_, err := parseSecret(text)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseSecret(f *testing.F) {
	f.Add(`{"username":"u","password":"p","host":"h","port":5433,"dbname":"d"}`)
	f.Add(`{"username":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSecret(text)
		if err == nil && (s.Username == "" || s.Password == "" || s.Port < 0 || s.Port > 65535) {
			t.Errorf("%q: %+v", text, s)
		}
	})
}

func TestPasswordsDoNotPrint(t *testing.T) {
	s := Secret{Username: "u", Password: Password(hush)}
	object, _ := json.Marshal(map[string]any{"s": s, "p": s.Password, "t": &Target{Password: s.Password}})
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "password", s.Password)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "password", s.Password)
	all := fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s.Password, s.Password, s.Password) +
		fmt.Sprint(&s, Target{Password: s.Password}) + fmt.Sprintf("%#v", s.Password) + string(object) + log.String()
	for _, form := range []string{"hush", quoted(hush), fmt.Sprintf("%x", hush)} {
		if strings.Contains(all, form) {
			t.Errorf("%s is in %s", form, all)
		}
	}
}

// client answers with what it holds.
type client struct {
	text   *string
	binary []byte
	err    error
}

func (c client) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput,
	...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	if c.err != nil {
		return nil, c.err
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: c.text, SecretBinary: c.binary}, nil
}

func api(code string) error {
	return &smithy.OperationError{ServiceID: "Secrets Manager", OperationName: "GetSecretValue",
		Err: &smithy.GenericAPIError{Code: code, Message: "told by AWS"}}
}

func TestEachFailureToReadASecretSaysWhich(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"
	text := func(s string) *string { return &s }
	seen := map[string]string{}
	for name, c := range map[string]struct {
		client
		message, next string
	}{
		"missing":    {client{err: api("ResourceNotFoundException")}, "there is no secret", "MASTER_SECRET_ARN"},
		"denied":     {client{err: api("AccessDeniedException")}, "was denied", "secretsmanager:GetSecretValue"},
		"decryption": {client{err: api("DecryptionFailure")}, "could not be decrypted", "kms:Decrypt"},
		"throttled":  {client{err: api("ThrottlingException")}, "throttled", "in a moment"},
		"other": {client{err: api("InternalServiceError")}, "InternalServiceError: told by AWS",
			"GetSecretValue"},
		"no route": {client{err: errors.New("dial tcp: no route to host")}, "could not be asked",
			"reach Secrets Manager"},
		"too late": {client{err: fmt.Errorf("x: %w", context.DeadlineExceeded)}, "did not answer in time",
			"interface endpoint"},
		"binary":      {client{binary: []byte(hush)}, "is binary", "JSON object"},
		"no object":   {client{text: text(hush)}, "is not a JSON object", "Correct the secret"},
		"no password": {client{text: text(`{"username":"u"}`)}, "has no password", "Correct the secret"},
		"odd password": {client{text: text(`{"username":"u","password":[` + quoted(hush) + `]}`)},
			"has a password that is not text", "Correct the secret"},
	} {
		_, err := ReadSecret(t.Context(), c.client, arn)
		var f *report.Failure
		if !errors.As(err, &f) || f.Code != report.SecretUnreadable {
			t.Errorf("%s: %v is no SECRET_UNREADABLE", name, err)
			continue
		}
		if !strings.Contains(f.Message, c.message) || !strings.Contains(f.NextStep, c.next) ||
			!strings.Contains(f.Message, arn) {
			t.Errorf("%s: %q, next %q", name, f.Message, f.NextStep)
		}
		if strings.Contains(f.Error()+f.NextStep, "hush") {
			t.Errorf("%s quotes the secret: %v", name, f)
		}
		if other, ok := seen[f.Message]; ok {
			t.Errorf("%s and %s say the same", name, other)
		}
		seen[f.Message] = name
	}
	s, err := ReadSecret(t.Context(), client{text: text(`{"username":"u","password":"p"}`)}, arn)
	if err != nil || s.Username != "u" {
		t.Errorf("%+v, %v", s, err)
	}
}
