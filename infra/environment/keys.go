package environment

import "strings"

// Kind is the JSON form of a key's value.
type Kind string

// Kinds of values.
const (
	Text     Kind = "text"
	Whole    Kind = "whole number"
	Decimal  Kind = "number"
	Flag     Kind = "true or false"
	Duration Kind = `duration ("90s", "10m")`
	List     Kind = "list of texts"
	Map      Kind = "texts by name"
)

// Scope says for which databases a key is intended.
type Scope string

// Scopes of keys.
const (
	Any      Scope = ""
	MadeHere Scope = "made here"
	Exists   Scope = "existing"
)

// Key is one key below environments.<name>, or below pipeline.
type Key struct {
	Path    string // below environments.<name>: "memory", "database.secretArn"
	Kind    Kind
	Scope   Scope
	Default any    // as in JSON; nil for none
	Relaxed any    // the default where throwaway is true, if another one
	Absent  string // what holds without the key, where that is no value; "required" makes it so
	Doc     string
	check   func(value any) string // what is wrong with a value of the right kind, "" if nothing
}

const required = "required"

// Keys are all keys of an environment, in the order in which a person wants to read of them.
var Keys = []Key{
	{Path: "account", Kind: Text, Absent: "the CLI's profile", check: accountNumber,
		Doc: "AWS account. With `region` or not at all; both are required where a pipeline is configured"},
	{Path: "region", Kind: Text, Absent: "the CLI's profile", check: regionName,
		Doc: "AWS region"},
	{Path: "approval", Kind: Flag, Default: false,
		Doc: "The pipeline waits for a person before this environment, and shows the scripts that would run"},
	{Path: "throwaway", Kind: Flag, Default: false,
		Doc: "The environment may be lost: relaxes the defaults below, lets the database's stack be deleted, and " +
			"lets `revert` run without `--from`"},
	{Path: "replace", Kind: List, Default: []any{}, check: each(oneOf(ReplaceDatabase), 0, 1),
		Doc: "`[\"database\"]` lets a change replace or delete the environment's cluster, instance, key, secret, " +
			"VPC or subnets, which `check`, `plan` and the approval refuse otherwise. Take it out again once that " +
			"is deployed"},

	{Path: "database.name", Kind: Text, Absent: "made here: `app`; existing: the secret's `dbname`",
		check: matches(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`, "a letter, then letters, digits and _, 63 at most"),
		Doc:   "Database in which the scripts run"},
	{Path: "database.port", Kind: Whole, Default: 5432, check: between(1, 65535),
		Doc: "Its port; the security groups open this one"},
	{Path: "database.baseline", Kind: Text, Absent: "none",
		check: matches(`^\d+([._]\d+)*$`, `a version in quotes, such as "12" or "3.1"`),
		Doc:   "Adopt a database that has tables but no history: it counts as migrated up to this version"},
	{Path: "database.availabilityZones", Kind: List, Absent: "made here: the region's first two; existing: not checked",
		check: each(matches(`^[a-z]{2}(-[a-z]+)+-\d[a-p]$`, "the name of a zone such as eu-central-1a"), 1, 6),
		Doc: "Names of the subnets' zones, in any order: two or three where it is made here; for an existing " +
			"database one for each of `subnetIds`, in their order, of which an endpoint takes no two in one zone. " +
			"Which zones have the endpoint's service differs by account: `aws ec2 describe-vpc-endpoint-services " +
			"--service-names com.amazonaws.eu-central-1.secretsmanager`"},

	{Path: "database.vpcCidr", Kind: Text, Scope: MadeHere, Default: "10.0.0.0/16", check: privateRange,
		Doc: "Addresses of the VPC, /16 to /24; each subnet gets a sixteenth"},
	{Path: "database.engineVersion", Kind: Text, Scope: MadeHere, Default: "17.7",
		check: matches(`^1[4-9]\.\d+$`, `an Aurora PostgreSQL version such as "17.7", 14 or newer`),
		Doc:   "Version of Aurora PostgreSQL"},
	{Path: "database.minCapacity", Kind: Decimal, Scope: MadeHere, Default: 0.5, check: capacity(0),
		Doc: "Aurora capacity units when idle; 0 pauses (from 14.12, 15.7, 16.3 and 17 on), and the next connection " +
			"then waits half a minute"},
	{Path: "database.maxCapacity", Kind: Decimal, Scope: MadeHere, Default: 4.0, check: capacity(1),
		Doc: "Aurora capacity units under load"},
	{Path: "database.password", Kind: Text, Scope: MadeHere, Default: PasswordManaged,
		check: oneOf(PasswordManaged, PasswordGenerated),
		Doc: "`managed`: RDS makes the master password and a new one every seven days; `generated`: " +
			"CloudFormation makes it once"},
	{Path: "database.deletionProtection", Kind: Flag, Scope: MadeHere, Default: true, Relaxed: false,
		Doc: "AWS refuses to delete the cluster"},
	{Path: "database.backupDays", Kind: Whole, Scope: MadeHere, Default: 7, Relaxed: 1, check: between(1, 35),
		Doc: "Days that automatic backups are kept"},
	{Path: "database.removal", Kind: Text, Scope: MadeHere, Default: RemovalSnapshot, Relaxed: RemovalDestroy,
		check: oneOf(RemovalSnapshot, RemovalRetain, RemovalDestroy),
		Doc: "What becomes of the cluster when its stack is deleted: `snapshot`, `retain` or `destroy`. The key " +
			"is always kept"},

	{Path: "database.vpcId", Kind: Text, Scope: Exists, Absent: required, check: id("vpc"),
		Doc: "VPC of the database"},
	{Path: "database.subnetIds", Kind: List, Scope: Exists, Absent: required, check: each(id("subnet"), 1, 6),
		Doc: "Subnets for the function, private ones from which the database can be reached"},
	{Path: "database.securityGroupId", Kind: Text, Scope: Exists, Absent: required, check: id("sg"),
		Doc: "Security group of the database; it is opened to the function and to `clients`"},
	{Path: "database.secretArn", Kind: Text, Scope: Exists, Absent: required, check: secretArn,
		Doc: "Secret with `username` and `password`, often `host`, `port` and `dbname` too: its whole ARN, with the " +
			"six characters at the end"},
	{Path: "database.kmsKeyArn", Kind: Text, Scope: Exists, Absent: "the key `aws/secretsmanager`",
		check: matches(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$`,
			"the ARN of a key (not of an alias)"),
		Doc: "Key with which the secret is encrypted"},
	{Path: "database.host", Kind: Text, Scope: Exists, Absent: "the secret's `host`", check: writerHost,
		Doc: "Address of the writer, not of an RDS Proxy or a reader"},
	{Path: "database.cluster", Kind: Text, Scope: Exists, Absent: "not shown",
		check: matches(`^[A-Za-z][A-Za-z0-9-]{0,62}$`, "an RDS cluster identifier"),
		Doc:   "Identifier of the RDS cluster, for the restore command in reports"},

	{Path: "clients", Kind: List, Default: []any{}, check: each(id("sg"), 0, 50),
		Doc: "Security groups of the applications that use the database"},
	{Path: "secretsEndpoint", Kind: Text, Default: EndpointCreate, check: endpoint,
		Doc: "How the function reaches Secrets Manager: `create` an interface endpoint that serves nobody else; the " +
			"security group (`sg-…`) of one that exists and has private DNS; `none` where the subnets have a route " +
			"to the internet"},

	{Path: "memory", Kind: Whole, Default: 1769, check: between(512, 10240),
		Doc: "Memory of the function in MB, and CPU in proportion: 1,769 is one whole CPU"},
	{Path: "timeout", Kind: Duration, Default: "10m", check: runTime,
		Doc: "Limit of one run, 1 to 14 minutes. Longer runs belong in ECS Fargate or CodeBuild, with the same image"},
	{Path: "architecture", Kind: Text, Default: AMD64, check: oneOf(AMD64, ARM64),
		Doc: "CPU of the function: `amd64` or `arm64`. The machine that builds the image must be able to run it; " +
			"one for all environments of a pipeline"},
	{Path: "placeholders", Kind: Map, Default: map[string]any{}, check: names(placeholderName),
		Doc: "Flyway's placeholders: `{\"tenant\": \"acme\"}` is `${tenant}`. No secrets: they can be read in the " +
			"function's configuration"},
	{Path: "flyway", Kind: Map, Default: map[string]any{}, check: names(flywaySetting),
		Doc: "Flyway settings: " + strings.Join(flywayNames(), ", ")},
	{Path: "lockTimeout", Kind: Duration, Default: "5s", check: lockTime,
		Doc: "How long a statement waits for a lock before the run fails (scripts in a transaction only)"},

	{Path: "logRetentionDays", Kind: Whole, Default: 90, Relaxed: 7, check: retention,
		Doc: "Days that logs are kept; one of CloudWatch's steps"},
	{Path: "alarmEmail", Kind: Text, Absent: "none", check: emailAddress,
		Doc: "Email address notified of failed runs and of runs that come close to their limit; others subscribe to " +
			"the topic"},
	{Path: "tags", Kind: Map, Default: map[string]any{}, check: names(tagName),
		Doc: "Tags of everything in the environment"},
}

// value is the default of k in an environment that is throwaway or is not.
func (k Key) value(throwaway bool) any {
	if throwaway && k.Relaxed != nil {
		return k.Relaxed
	}
	return k.Default
}
