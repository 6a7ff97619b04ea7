package pipeline

import (
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
)

// dockerHub is for the builds that publish assets only: one of them makes the
// image, and reads base images for it.
func dockerHub(scope constructs.Construct, arn string) *[]pipelines.DockerCredential {
	if arn == "" {
		return nil
	}
	secret := awssecretsmanager.Secret_FromSecretCompleteArn(scope, jsii.String("DockerHub"), jsii.String(arn))
	return &[]pipelines.DockerCredential{pipelines.DockerCredential_DockerHub(secret,
		&pipelines.ExternalDockerCredentialOptions{
			SecretUsernameField: jsii.String("username"), SecretPasswordField: jsii.String("password"),
			Usages: &[]pipelines.DockerCredentialUsage{pipelines.DockerCredentialUsage_ASSET_PUBLISHING},
		})}
}

// mirror is a repository of ECR from which a base image comes.
type mirror struct{ account, region, host, repository string }

var ecrImage = regexp.MustCompile(`^((\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?)/([^:@]+)`)

// mirrors are those of ECR, each once.
func mirrors(images environment.Images) []mirror {
	var all []mirror
	for _, image := range []string{images.Flyway, images.Go} {
		if p := ecrImage.FindStringSubmatch(image); p != nil {
			if m := (mirror{p[2], p[3], p[1], p[4]}); !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	return all
}

// logins are the commands that log Docker in to the mirrors. The builds that
// publish files run them too, and have no Docker. (The CDK's own way to say so,
// DockerCredential.ecr, fails where all assets of a kind share a build.)
func logins(all []mirror) []any {
	var commands []any
	for _, m := range all {
		commands = append(commands, "if docker info >/dev/null 2>&1; then aws ecr get-login-password --region "+
			m.region+" | docker login --username AWS --password-stdin "+m.host+"; fi")
	}
	return commands
}

// pulls are the rights for it, for builds in that account. A cache of its own
// makes a repository when its image is first pulled.
func pulls(all []mirror, account string) *[]awsiam.PolicyStatement {
	if len(all) == 0 {
		return nil
	}
	var repositories, own []string
	for _, m := range all {
		arn := "arn:" + *awscdk.Aws_PARTITION() + ":ecr:" + m.region + ":" + m.account + ":repository/" + m.repository
		repositories = append(repositories, arn)
		if m.account == account {
			own = append(own, arn)
		}
	}
	rights := []awsiam.PolicyStatement{
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings("ecr:GetAuthorizationToken"),
			Resources: jsii.Strings("*")}),
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			// The last one is for a repository that ECR fills from another registry.
			Actions: jsii.Strings("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
				"ecr:BatchImportUpstreamImage"),
			Resources: jsii.Strings(repositories...),
		}),
	}
	if len(own) > 0 {
		rights = append(rights, awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings("ecr:CreateRepository"), Resources: jsii.Strings(own...),
		}))
	}
	return &rights
}
