package stacks

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/database"
	"slipway/infra/environment"
	"slipway/infra/migration"
)

// Props of an environment's stacks.
type Props struct {
	Config  environment.Config
	Release migration.Release
	Images  environment.Images
	Root    string // the project's folder
	Rerun   string
	// PipelineAccount is the account of the pipeline that asks for the history
	// before an approval; "" where there is none.
	PipelineAccount string
}

// Stacks of an environment.
type Stacks struct {
	Database  awscdk.Stack // nil where the database exists already
	Migration awscdk.Stack
	// What the migration consists of. A stack of an application waits for its
	// schema: applicationStack.Node().AddDependency(stacks.Applied.Schema).
	Applied migration.Migration
}

// New makes the stacks slipway-<name>-database, unless the database exists, and
// slipway-<name>, in scope: an App or a Stage.
//
// They share no fate: a script that fails rolls the second one back, never the
// cluster.
func New(scope constructs.Construct, p Props) Stacks {
	c := p.Config
	var s Stacks
	s.Migration = newStack(scope, "slipway-"+c.Name, c, fmt.Sprintf("Slipway: migrations of %s", c.Name))
	access := database.FromConfig(c.Database)
	if !c.Database.Exists {
		name := "slipway-" + c.Name + "-database"
		s.Database = newStack(scope, name, c, fmt.Sprintf("Slipway: database of %s", c.Name))
		s.Database.SetTerminationProtection(jsii.Bool(!c.Throwaway))
		database.New(s.Database, c).Output(s.Database)
		access = database.FromOutputs(name, c.Database)
		if c.Throwaway {
			// Aurora wants subnets in two zones. AWS charges for the endpoint by the
			// hour and zone, and while the cluster pauses that is nearly all there is.
			access.SubnetIDs = access.SubnetIDs[:1]
		}
		// The writer instance too has to be there, and all of the network.
		s.Migration.AddStackDependency(s.Database, jsii.String("the migration runs on this database"))
	}
	s.Applied = migration.New(s.Migration, migration.Props{
		Config:   c,
		Database: access,
		Release:  p.Release,
		Images:   p.Images,
		Root:     p.Root,
		Rerun:    p.Rerun,
	})
	outputs(s.Migration, s.Applied)
	if c.Approval && p.PipelineAccount != "" {
		reader := newReader(s.Migration, s.Applied.Inspector, p.PipelineAccount)
		output(s.Migration, "ReaderArn", *reader.RoleArn(), "Role in which the pipeline asks for the history")
	}
	return s
}

func newStack(scope constructs.Construct, name string, c environment.Config, description string) awscdk.Stack {
	p := &awscdk.StackProps{StackName: jsii.String(name), Description: jsii.String(description)}
	if c.Account != "" {
		p.Env = &awscdk.Environment{Account: jsii.String(c.Account), Region: jsii.String(c.Region)}
	}
	stack := awscdk.NewStack(scope, jsii.String(name), p)
	for name, value := range c.Tags {
		awscdk.Tags_Of(stack).Add(jsii.String(name), jsii.String(value), nil)
	}
	return stack
}

// outputs show what came of the deployment. None is an export: one in use would
// block the next migration.
func outputs(stack awscdk.Stack, m migration.Migration) {
	output(stack, "SchemaVersion", *m.Schema.GetAttString(jsii.String("SchemaVersion")), "Version of the schema")
	output(stack, "Applied", *m.Schema.GetAttString(jsii.String("Applied")), "Scripts that the latest run applied")
	output(stack, "Release", *m.Schema.GetAttString(jsii.String("Release")), "Release that the database has")
	output(stack, "FunctionName", *m.Function.FunctionName(), "Function to invoke for repair, baseline and revert")
	output(stack, "InspectorName", *m.Inspector.FunctionName(),
		"Function to invoke for info and validate: it only reads")
	output(stack, "LogGroupName", *m.Log.LogGroupName(), "Log of the runs")
	output(stack, "TopicArn", *m.Topic.TopicArn(), "Topic of the alarms")
}

func output(stack awscdk.Stack, name, value, description string) {
	awscdk.NewCfnOutput(stack, jsii.String(name),
		&awscdk.CfnOutputProps{Value: jsii.String(value), Description: jsii.String(description)})
}
