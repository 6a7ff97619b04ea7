package migration

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/database"
	"slipway/infra/environment"
	"slipway/infra/logs"
	"slipway/infra/securitygroup"
)

// Props of a migration.
type Props struct {
	Config   environment.Config
	Database database.Access
	Release  Release
	Images   environment.Images
	Root     string // the project's folder, with docker/ and sql/
	Rerun    string // "" or any text: another one than before runs the release again
}

// Migration is an environment's migration.
type Migration struct {
	// Schema is there once the release has been applied. A stack of an application
	// waits for it: stack.Node().AddDependency(migration.Schema).
	Schema    awscdk.CustomResource
	Function  awslambda.Function
	Inspector awslambda.Function // reads only
	Log       awslogs.ILogGroup  // of Function
	Topic     awssns.Topic       // notified of runs that failed or nearly did
}

// New makes the migration of an environment.
func New(scope constructs.Construct, p Props) Migration {
	c, db := p.Config, p.Database
	if c.Database.Exists {
		securitygroup.OpenToClients(constructs.NewConstruct(scope, jsii.String("Clients")), db.SecurityGroupID,
			c.Clients, db.Port)
	}
	log := logs.NewGroup(scope, "Logs", c.LogDays)
	role := NewRole(scope, "Role", db, log)
	reading := constructs.NewConstruct(scope, jsii.String("Inspector"))
	inspectorLog := logs.NewGroup(reading, "Logs", c.LogDays)
	inspectorRole := NewRole(reading, "Role", db, inspectorLog)
	network := NewNetwork(scope, "Network", c, db, *role.RoleArn(), *inspectorRole.RoleArn())
	function := NewFunction(scope, "Function", FunctionProps{
		Config:   c,
		Database: db,
		Network:  network,
		Image:    Image(p.Root, p.Images, c.Architecture),
		Role:     role,
		Logs:     log,
	})
	inspector := NewInspector(reading, "Function", FunctionProps{
		Config:   c,
		Database: db,
		Network:  network,
		Image:    Image(p.Root, p.Images, c.Architecture),
		Role:     inspectorRole,
		Logs:     inspectorLog,
	})
	topic := NewTopic(scope, "Topic", c.AlarmEmail)
	NewAlarms(scope, "Alarms", c, function, topic)
	provider := NewProvider(scope, "Framework", c, function)
	schema := NewSchema(scope, "Schema", SchemaProps{
		ServiceToken: *provider.ServiceToken(),
		Config:       c,
		Database:     db,
		Release:      p.Release,
		Rerun:        p.Rerun,
	})
	schema.Node().AddDependency(append(network.Ready, function, provider)...)
	NewVersionParameter(scope, "VersionParameter", c.Name, p.Release.Version, schema)
	if !c.Database.Exists {
		reread(scope, p.Rerun)
	}
	return Migration{Schema: schema, Function: function, Inspector: inspector, Log: log, Topic: topic}
}
