package database

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"slipway/lambda/report"
)

// Password is a password or token. It prints as asterisks in every form.
type Password string

const masked = "********"

func (Password) String() string               { return masked }
func (Password) GoString() string             { return masked }
func (Password) LogValue() slog.Value         { return slog.StringValue(masked) }
func (Password) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// Secret is what Secrets Manager holds for a database. RDS writes all fields,
// an RDS-managed one the first two only.
type Secret struct {
	Username string
	Password Password
	Host     string
	Port     int
	DBName   string
}

// SecretsManager is the one call that is made of the AWS client.
type SecretsManager interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput,
		...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// ReadSecret reads the secret of that ARN. Every way in which that can fail is
// a SECRET_UNREADABLE with its own message; none repeats the secret's content.
func ReadSecret(ctx context.Context, client SecretsManager, arn string) (Secret, error) {
	out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return Secret{}, secretFailure(arn, err)
	}
	if out.SecretString == nil {
		return Secret{}, unreadable("Store it as text: a JSON object with username and password.",
			"the secret %s is binary", arn)
	}
	s, err := parseSecret(*out.SecretString)
	if err != nil {
		return Secret{}, unreadable("Correct the secret's value in Secrets Manager.", "the secret %s %w", arn, err)
	}
	return s, nil
}

func unreadable(next, format string, args ...any) error {
	return report.Failf(report.SecretUnreadable, format, args...).Next(next)
}

func secretFailure(arn string, err error) error {
	var api smithy.APIError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return unreadable("Check that the function's subnets reach Secrets Manager: an interface endpoint whose "+
			"security group lets it in.",
			"Secrets Manager did not answer in time for %s: %w", arn, err)
	case !errors.As(err, &api):
		return unreadable("Check that the function's subnets reach Secrets Manager, the region, and that there are "+
			"credentials.",
			"Secrets Manager could not be asked for %s: %w", arn, err)
	}
	code := api.ErrorCode()
	switch {
	case code == "ResourceNotFoundException":
		return unreadable("Check MASTER_SECRET_ARN and the region.", "there is no secret %s (%s)", arn, code)
	case strings.Contains(code, "AccessDenied"), strings.Contains(code, "UnrecognizedClient"),
		strings.Contains(code, "ExpiredToken"):
		return unreadable("Allow the role secretsmanager:GetSecretValue on the secret, and kms:Decrypt where a key "+
			"of your own encrypts it.",
			"access to the secret %s was denied (%s)", arn, code)
	case strings.Contains(code, "Throttl"), code == "TooManyRequestsException":
		return unreadable("Run it again in a moment.", "Secrets Manager throttled the request for %s (%s)", arn, code)
	case strings.Contains(code, "Decryption"):
		return unreadable("Allow the role kms:Decrypt on the secret's key.",
			"the secret %s could not be decrypted (%s)", arn, code)
	}
	return unreadable("See the error's code in the documentation of GetSecretValue.",
		"the secret %s could not be read (%s: %s)", arn, code, api.ErrorMessage())
}

// parseSecret reads the JSON of an RDS secret. Port may be a number or text.
// Errors name keys and never quote the text: it holds a password.
func parseSecret(text string) (Secret, error) {
	var raw map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	err := d.Decode(&raw)
	if _, more := d.Token(); err != nil || raw == nil || more != io.EOF {
		return Secret{}, errors.New("is not a JSON object")
	}
	var s Secret
	var password string
	for key, to := range map[string]*string{"username": &s.Username, "password": &password, "host": &s.Host,
		"dbname": &s.DBName} {
		value, ok := raw[key]
		if !ok || value == nil {
			continue
		}
		if *to, ok = value.(string); !ok {
			return Secret{}, fmt.Errorf("has a %s that is not text", key)
		}
	}
	s.Password = Password(password)
	for key, value := range map[string]string{"username": s.Username, "password": password} {
		if value == "" {
			return Secret{}, fmt.Errorf("has no %s", key)
		}
	}
	if port, ok := raw["port"]; ok && port != nil {
		n, err := ParsePort(fmt.Sprint(port))
		if err != nil {
			return Secret{}, fmt.Errorf("has a port that is no port number")
		}
		s.Port = n
	}
	return s, nil
}
