package migration

import (
	"strconv"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/database"
	"slipway/infra/environment"
)

// answerMargin is what a deployment may take besides the run itself: a function
// that is still being attached to its VPC, and Lambda's second try.
const answerMargin = 5 * time.Minute

// SchemaProps: what makes CloudFormation call the function when it changes.
type SchemaProps struct {
	ServiceToken string
	Config       environment.Config
	Database     database.Access
	Release      Release
	Rerun        string // any text
}

// NewSchema makes the custom resource that stands for the database's schema.
// Deleting it deletes nothing: CloudFormation forgets it without a call.
func NewSchema(scope constructs.Construct, id string, p SchemaProps) awscdk.CustomResource {
	return awscdk.NewCustomResource(scope, jsii.String(id), &awscdk.CustomResourceProps{
		ResourceType:   jsii.String("Custom::FlywayMigration"),
		ServiceToken:   jsii.String(p.ServiceToken),
		ServiceTimeout: awscdk.Duration_Seconds(jsii.Number((p.Config.Timeout + answerMargin).Seconds())),
		Properties:     p.properties(),
		RemovalPolicy:  awscdk.RemovalPolicy_RETAIN,
	})
}

func (p SchemaProps) properties() *map[string]any {
	scripts := map[string]any{}
	for name, checksum := range p.Release.Scripts {
		scripts[name] = checksum
	}
	out := map[string]any{
		"Order":    strconv.FormatInt(p.Release.Order, 10),
		"Release":  p.Release.Digest,
		"Scripts":  scripts,
		"Database": identity(p.Database),
		"Settings": digest(flywaySettings(p.Config)),
	}
	if p.Release.Older != "" {
		out["OlderScripts"] = p.Release.Older
	}
	if p.Rerun != "" {
		out["Rerun"] = p.Rerun
	}
	return &out
}

// identity tells one database from another: the secret, and host and name where
// they are not the secret's.
func identity(db database.Access) string {
	id := db.SecretArn
	for _, part := range []string{db.Host, db.Name} {
		if part != "" {
			id += " " + part
		}
	}
	return id
}
