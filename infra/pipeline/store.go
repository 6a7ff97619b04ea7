package pipeline

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// retentionDays is how long artifacts and caches are kept.
const retentionDays = 30

// expireCopies ends what the CDK's buckets in other regions hold, copies of
// artifacts, as the artifacts themselves end. Their names are fixed: one that
// stayed after a stack could not be made would be in the next attempt's way.
func expireCopies(line awscodepipeline.Pipeline) {
	for _, support := range *line.CrossRegionSupport() {
		bucket := support.ReplicationBucket.(awss3.Bucket)
		bucket.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE)
		bucket.AddLifecycleRule(&awss3.LifecycleRule{
			Expiration:                          awscdk.Duration_Days(jsii.Number(retentionDays)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		})
	}
}

// newStore makes a private bucket for artifacts, with a key of its own. Like
// the stack's logs, its content can be made again.
func newStore(scope constructs.Construct, id, description string) (awss3.Bucket, awskms.Key) {
	here := constructs.NewConstruct(scope, jsii.String(id))
	key := awskms.NewKey(here, jsii.String("Key"), &awskms.KeyProps{
		Description:       jsii.String(description),
		EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_DESTROY,
	})
	bucket := awss3.NewBucket(here, jsii.String("Bucket"), &awss3.BucketProps{
		EncryptionKey:     key,
		BucketKeyEnabled:  jsii.Bool(true),
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		EnforceSSL:        jsii.Bool(true),
		Versioned:         jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration:                          awscdk.Duration_Days(jsii.Number(retentionDays)),
			NoncurrentVersionExpiration:         awscdk.Duration_Days(jsii.Number(1)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}},
	})
	return bucket, key
}
