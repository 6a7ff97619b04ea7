package main

import (
	"context"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// lazySecrets sets the SDK up when a secret is asked for: an event that needs
// none is answered without.
type lazySecrets struct{}

func (lazySecrets) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput,
	options ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	config, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	return secretsmanager.NewFromConfig(config).GetSecretValue(ctx, in, options...)
}

// iamToken signs an RDS authentication token, good for 15 minutes.
func iamToken(ctx context.Context, address, user string) (string, error) {
	config, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return "", err
	}
	return auth.BuildAuthToken(ctx, address, config.Region, user, config.Credentials)
}
