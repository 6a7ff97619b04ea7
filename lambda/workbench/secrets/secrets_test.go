package secrets

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// started is a server, and the real SDK's client of it.
func started(t *testing.T) (*Server, *secretsmanager.Client) {
	t.Helper()
	server, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, secretsmanager.New(secretsmanager.Options{
		BaseEndpoint: &server.URL, Region: "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("id", "key", ""),
		// Waits between tries would only be waited for here.
		Retryer: aws.NopRetryer{},
	})
}

func read(ctx context.Context, client *secretsmanager.Client, id string) (*secretsmanager.GetSecretValueOutput, error) {
	return client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
}

func TestValue(t *testing.T) {
	server, client := started(t)
	const value = "{\"password\":\"@:/%'\\\"\\\\$\\n€\"}"
	arn := server.Set("database", value)
	for _, id := range []string{arn, "database", arn[:len(arn)-len("-AbCdEf")]} {
		out, err := read(t.Context(), client, id)
		if err != nil {
			t.Fatal(err)
		}
		if aws.ToString(out.SecretString) != value || aws.ToString(out.ARN) != arn || out.SecretBinary != nil {
			t.Errorf("%s: %s of %s", id, aws.ToString(out.SecretString), aws.ToString(out.ARN))
		}
	}
	if server.Reads("database") != 3 {
		t.Errorf("%d reads", server.Reads("database"))
	}
}

func TestBinary(t *testing.T) {
	server, client := started(t)
	out, err := read(t.Context(), client, server.SetBinary("binary", []byte{0, 1, 255}))
	if err != nil || out.SecretString != nil || !bytes.Equal(out.SecretBinary, []byte{0, 1, 255}) {
		t.Errorf("%v, %v", out, err)
	}
}

func TestExceptions(t *testing.T) {
	server, client := started(t)
	for _, exception := range []string{"ResourceNotFoundException", "AccessDeniedException", "ThrottlingException",
		"DecryptionFailure"} {
		_, err := read(t.Context(), client, server.Fail("x", exception))
		var answer smithy.APIError
		if !errors.As(err, &answer) || answer.ErrorCode() != exception || answer.ErrorMessage() != messages[exception] {
			t.Errorf("%s: %v", exception, err)
		}
	}
	_, err := read(t.Context(), client, "never set")
	var answer smithy.APIError
	if !errors.As(err, &answer) || answer.ErrorCode() != "ResourceNotFoundException" {
		t.Errorf("a secret that was never set: %v", err)
	}
}

func TestAnswersInTurn(t *testing.T) {
	server, client := started(t)
	rotated := server.Rotate("rotated", "old", "new")
	for i, want := range []string{"old", "new", "new"} {
		if out, err := read(t.Context(), client, rotated); err != nil || aws.ToString(out.SecretString) != want {
			t.Errorf("read %d: %v, %v, want %s", i, out, err, want)
		}
	}
	throttled := server.FailThen("throttled", "ThrottlingException", 2, "value")
	for i, fails := range []bool{true, true, false, false} {
		if _, err := read(t.Context(), client, throttled); (err != nil) != fails {
			t.Errorf("read %d: %v", i, err)
		}
	}
}

func TestHang(t *testing.T) {
	server, client := started(t)
	arn := server.Hang("hangs")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := read(ctx, client, arn); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	done := make(chan error)
	go func() {
		_, err := read(context.Background(), client, arn)
		done <- err
	}()
	for server.Reads("hangs") < 2 {
		time.Sleep(time.Millisecond)
	}
	server.Close()
	select {
	case err := <-done:
		if err == nil {
			t.Error("a closed server answers")
		}
	case <-time.After(10 * time.Second):
		t.Error("a closed server still hangs")
	}
}
