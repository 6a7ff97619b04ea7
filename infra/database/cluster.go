package database

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
)

// masterUser is the name that the first user of a cluster has by custom.
const masterUser = "postgres"

// ClusterProps: what a cluster is, and where.
type ClusterProps struct {
	Config  environment.Database
	Network Network
	Group   awsec2.ISecurityGroup
	Key     awskms.IKey
}

// NewCluster makes an Aurora PostgreSQL Serverless v2 cluster with one writer,
// whose secret is encrypted with the same key as its storage.
func NewCluster(scope constructs.Construct, id string, p ClusterProps) awsrds.DatabaseCluster {
	c := p.Config.New
	cluster := awsrds.NewDatabaseCluster(scope, jsii.String(id), &awsrds.DatabaseClusterProps{
		Engine: awsrds.DatabaseClusterEngine_AuroraPostgres(
			&awsrds.AuroraPostgresClusterEngineProps{Version: version(c.EngineVersion)}),
		Writer: awsrds.ClusterInstance_ServerlessV2(jsii.String("Writer"), &awsrds.ServerlessV2ClusterInstanceProps{
			AutoMinorVersionUpgrade: jsii.Bool(true),
			PubliclyAccessible:      jsii.Bool(false),
		}),
		ServerlessV2MinCapacity:  jsii.Number(c.MinCapacity),
		ServerlessV2MaxCapacity:  jsii.Number(c.MaxCapacity),
		DefaultDatabaseName:      jsii.String(p.Config.Name),
		Port:                     jsii.Number(p.Config.Port),
		Vpc:                      p.Network.Vpc,
		VpcSubnets:               &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED},
		SecurityGroups:           &[]awsec2.ISecurityGroup{p.Group},
		StorageEncrypted:         jsii.Bool(true),
		StorageEncryptionKey:     p.Key,
		IamAuthentication:        jsii.Bool(true),
		ManageMasterUserPassword: jsii.Bool(c.Password == environment.PasswordManaged),
		Credentials:              credentials(scope, c.Password, p.Key),
		// The default only since PostgreSQL 17: no connection without TLS.
		Parameters:         &map[string]*string{"rds.force_ssl": jsii.String("1")},
		Backup:             &awsrds.BackupProps{Retention: awscdk.Duration_Days(jsii.Number(c.BackupDays))},
		CopyTagsToSnapshot: jsii.Bool(true),
		DeletionProtection: jsii.Bool(c.DeletionProtection),
		RemovalPolicy:      removal(c.Removal),
	})
	if c.DeletionProtection {
		// A cluster that AWS refuses to delete would be left without its instance.
		writer := cluster.Node().FindChild(jsii.String("Writer")).Node().DefaultChild().(awsrds.CfnDBInstance)
		writer.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN,
			&awscdk.RemovalPolicyOptions{ApplyToUpdateReplacePolicy: jsii.Bool(false)})
	}
	return cluster
}

func version(full string) awsrds.AuroraPostgresEngineVersion {
	major, _, _ := strings.Cut(full, ".")
	return awsrds.AuroraPostgresEngineVersion_Of(jsii.String(full), jsii.String(major), nil)
}

func credentials(scope constructs.Construct, password string, key awskms.IKey) awsrds.Credentials {
	if password == environment.PasswordManaged {
		return awsrds.Credentials_FromUsername(jsii.String(masterUser),
			&awsrds.CredentialsFromUsernameOptions{EncryptionKey: key})
	}
	return awsrds.Credentials_FromSecret(awsrds.NewDatabaseSecret(scope, jsii.String("Secret"),
		&awsrds.DatabaseSecretProps{
			Username:      jsii.String(masterUser),
			EncryptionKey: key,
		}), nil)
}

func removal(policy string) awscdk.RemovalPolicy {
	switch policy {
	case environment.RemovalRetain:
		return awscdk.RemovalPolicy_RETAIN
	case environment.RemovalDestroy:
		return awscdk.RemovalPolicy_DESTROY
	}
	return awscdk.RemovalPolicy_SNAPSHOT
}
