package environment

import "time"

// Project is the context of cdk.json, checked and with its defaults.
type Project struct {
	Environments []Config  // by name
	Pipeline     *Pipeline // nil where none is configured
	Images       Images
	Rerun        string // any text; another one than before makes the next deployment call the function again
}

// Images are the base images of docker/Dockerfile; "" leaves the choice to the Dockerfile.
type Images struct {
	Flyway, Go string
	Sums       string // file of docker/ with the checksums of Flyway's jars
}

// Config is one environment.
type Config struct {
	Name            string // as in slipway-<name>
	Account, Region string // "" for both: those of the CLI's profile
	Throwaway       bool
	Approval        bool // the pipeline waits for a person before this environment
	Database        Database
	Clients         []string // security groups that may reach the database
	SecretsEndpoint string   // [EndpointCreate], [EndpointNone], or the security group of an endpoint that exists
	Memory          int      // MB
	Timeout         time.Duration
	Architecture    string            // [AMD64] or [ARM64]
	Placeholders    map[string]string // lower-case name → value
	Flyway          map[string]string // FLYWAY_… → value
	LockTimeout     time.Duration
	LogDays         int
	AlarmEmail      string // "" for none
	Tags            map[string]string
}

// Architectures, as Docker names them.
const (
	AMD64 = "amd64"
	ARM64 = "arm64"
)

// Ways of the function to Secrets Manager, besides the security group of an
// interface endpoint that exists.
const (
	EndpointCreate = "create" // an interface endpoint of its own
	EndpointNone   = "none"   // the subnets' route to the internet (NAT)
)

// ReplaceDatabase is what the key replace may hold. The templates don't depend
// on it: what compares templates reads it.
const ReplaceDatabase = "database"

// Database is where an environment's scripts run. It is made with the
// environment (New holds) or exists already (Existing holds).
type Database struct {
	Exists            bool
	Name              string // "": the secret has it; never so where it is made here
	Port              int
	Baseline          string   // a version; "" for none
	AvailabilityZones []string // of the subnets; empty where it is made here leaves the choice to AWS
	New               NewDatabase
	Existing          ExistingDatabase
}

// NewDatabase is an Aurora PostgreSQL cluster that Slipway makes.
type NewDatabase struct {
	VpcCIDR            string
	EngineVersion      string  // "17.5"
	MinCapacity        float64 // ACU; 0 pauses when idle
	MaxCapacity        float64
	Password           string // [PasswordManaged] or [PasswordGenerated]
	DeletionProtection bool
	BackupDays         int
	Removal            string // [RemovalSnapshot], [RemovalRetain] or [RemovalDestroy]
}

// Who makes the master password, and whether it changes.
const (
	PasswordManaged   = "managed"   // RDS, a new one every seven days
	PasswordGenerated = "generated" // CloudFormation, once
)

// What happens to the cluster when its stack is deleted.
const (
	RemovalSnapshot = "snapshot"
	RemovalRetain   = "retain"
	RemovalDestroy  = "destroy"
)

// ExistingDatabase says where to find a database that others made.
type ExistingDatabase struct {
	VpcID           string
	SubnetIDs       []string // of the function
	SecurityGroupID string   // of the database
	SecretArn       string
	KmsKeyArn       string // "": the secret is encrypted with the key aws/secretsmanager
	Host            string // "": the secret has it
	Cluster         string // "": reports name no restore command
}
