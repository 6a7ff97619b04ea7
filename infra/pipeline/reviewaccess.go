package pipeline

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Session is the name of the session in which a review comments.
const Session = "slipway-review"

// access is who may do what in a review. The roles are written out here and are
// closed for what the CDK would add: it lets every build of a pipeline write
// every artifact, so that a branch's code could put another verdict in place.
type access struct {
	scope   constructs.Construct
	builds  *builds
	source  source
	bucket  awss3.Bucket
	key     awskms.Key
	comment awsiam.Role // nil for a connection
	roles   map[string]awsiam.IRole
}

func newAccess(scope constructs.Construct, b *builds, s source) *access {
	a := &access{scope: scope, builds: b, source: s, roles: map[string]awsiam.IRole{}}
	a.bucket, a.key = newStore(scope, "Artifacts", "Artifacts of reviews")
	a.newRole(synthBuild, []string{sourceAction})
	a.newRole(rehearseBuild, []string{sourceAction})
	judge := a.newRole(judgeBuild, []string{sourceAction, synthBuild, rehearseBuild})
	may := []string{}
	for _, c := range b.props.inOrder() {
		may = append(may, b.lookupRole(c))
	}
	if s.repository != nil {
		a.comment = a.commentRole(judge)
		may = append(may, *a.comment.RoleArn())
	}
	judge.AddToPolicy(assume(may...))
	return a
}

// role of a build, as it stands.
func (a *access) role(build string) awsiam.IRole { return a.roles[build] }

// newRole makes a role that reads these artifacts, writes its own, logs, and
// clones the repository.
func (a *access) newRole(build string, reads []string) awsiam.Role {
	role := awsiam.NewRole(a.scope, jsii.String(build+"Role"),
		&awsiam.RoleProps{AssumedBy: awsiam.NewServicePrincipal(jsii.String("codebuild.amazonaws.com"), nil)})
	a.roles[build] = role.WithoutPolicyUpdates(nil)
	allow := func(actions []string, conditions map[string]any, resources ...string) {
		p := &awsiam.PolicyStatementProps{Actions: jsii.Strings(actions...), Resources: jsii.Strings(resources...)}
		if conditions != nil {
			p.Conditions = &conditions
		}
		role.AddToPolicy(awsiam.NewPolicyStatement(p))
	}
	var readable []string
	for _, artifact := range reads {
		readable = append(readable, a.objects(artifact))
	}
	allow([]string{"s3:GetObject", "s3:GetObjectVersion"}, nil, readable...)
	allow([]string{"s3:PutObject"}, nil, a.objects(build))
	allow([]string{"s3:GetBucketAcl", "s3:GetBucketLocation"}, nil, *a.bucket.BucketArn())
	allow([]string{"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"}, nil, *a.key.KeyArn())
	allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, nil, *a.builds.logs.LogGroupArn())
	if a.source.repository != nil {
		allow([]string{"codecommit:GitPull"}, nil, *a.source.repository.RepositoryArn())
		return role
	}
	// The service has two names, and keys of conditions under both.
	for _, service := range []string{"codestar-connections", "codeconnections"} {
		allow([]string{service + ":UseConnection"}, map[string]any{"StringEquals": map[string]any{
			service + ":FullRepositoryId": a.source.config.Repository,
			service + ":ProviderAction":   "GitPull",
		}}, a.source.config.Connection)
	}
	return role
}

// objects are those of an artifact. CodePipeline stores them as
// <pipeline>/<ten letters of the artifact's name>/<any>.
func (a *access) objects(artifact string) string {
	return *a.bucket.ArnForObjects(jsii.String("*/" + artifact[:min(len(artifact), 10)] + "/*"))
}

// commentRole comments and approves; the judge's build alone may take it.
func (a *access) commentRole(judge awsiam.IRole) awsiam.Role {
	role := awsiam.NewRole(a.scope, jsii.String("CommentRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewArnPrincipal(judge.RoleArn()).WithConditions(
			&map[string]any{"StringEquals": map[string]any{"sts:RoleSessionName": Session}}),
	})
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("codecommit:GetPullRequest", "codecommit:GetCommentsForPullRequest",
			"codecommit:PostCommentForPullRequest",
			"codecommit:UpdateComment", "codecommit:UpdatePullRequestApprovalState"),
		Resources: &[]*string{a.source.repository.RepositoryArn()},
	}))
	awscdk.NewCfnOutput(awscdk.Stack_Of(a.scope), jsii.String("Reviewer"), &awscdk.CfnOutputProps{
		Value: jsii.String("arn:" + *awscdk.Aws_PARTITION() + ":sts::" + a.builds.props.Config.Account +
			":assumed-role/" + *role.RoleName() + "/" + Session),
		Description: jsii.String("Who approves pull requests, for an approval rule"),
	})
	return role
}

// encode is JSON with < and > as they are.
func encode(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return strings.TrimSpace(b.String())
}
