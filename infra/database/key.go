package database

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewKey makes the key that encrypts the storage, its snapshots and the secret.
// It is never deleted with its stack: a snapshot without its key is lost.
func NewKey(scope constructs.Construct, id, environment string) awskms.Key {
	return awskms.NewKey(scope, jsii.String(id), &awskms.KeyProps{
		Description: jsii.String(fmt.Sprintf("Slipway: database of %s, its snapshots and its secret",
			environment)),
		EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
	})
}
