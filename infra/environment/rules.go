package environment

import (
	"fmt"
	"slices"
	"strings"
)

// exists tells whether the environment's database was made by others: as soon
// as one key is there that only such a database has.
func (v values) exists() bool { return len(v.ofScope(Exists)) > 0 }

// ofScope lists the given keys that are meant for such databases only.
func (v values) ofScope(s Scope) []Key {
	var out []Key
	for _, key := range v.keys {
		if key.Scope == s && v.given[key.Path] {
			out = append(out, key)
		}
	}
	return out
}

// rules check what must hold between the values of one object, which stands at
// path. A key whose own value was wrong counts as given, so that one mistake is
// one line.
type rules struct {
	values
	path string
	errs *Error
}

func (r rules) fail(key, format string, args ...any) {
	r.errs.add(r.path+"."+key, format, args...)
}

// environment checks the keys of an environment.
func (r rules) environment(pipeline bool) {
	r.place(pipeline)
	if n := r.size(); n > mostVariables {
		r.fail("placeholders", "%d bytes with the settings of flyway, more than %d: the variables of a function "+
			"hold 4 KB in all", n, mostVariables)
	}
	if r.exists() {
		r.existing()
		return
	}
	if n := len(r.list("database.availabilityZones")); n == 1 || n > 3 {
		r.fail("database.availabilityZones", "a cluster made here spans two or three zones, not %d", n)
	}
	if low, high := r.number("database.minCapacity"), r.number("database.maxCapacity"); low > high &&
		r.at["database.maxCapacity"] != nil {
		r.fail("database.minCapacity", "%v is more than database.maxCapacity, %v", low, high)
	}
	r.capacities()
	if r.at["secretsEndpoint"] != nil && r.text("secretsEndpoint") != EndpointCreate {
		r.fail("secretsEndpoint", "%q: the subnets of a database made here have no other way to Secrets Manager "+
			"than %q", r.text("secretsEndpoint"), EndpointCreate)
	}
}

// abilities are the minor versions of Aurora PostgreSQL, by major version, from
// which Aurora Serverless v2 can do something; 17 and newer can do it all. See
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.requirements.html.
var abilities = struct{ serverless, above128, pause map[int]int }{
	serverless: map[int]int{14: 3, 15: 2, 16: 1},
	above128:   map[int]int{14: 10, 15: 5, 16: 1},
	pause:      map[int]int{14: 12, 15: 7, 16: 3},
}

// capacities checks what a version of the engine takes.
func (r rules) capacities() {
	version := r.text("database.engineVersion")
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return // said of the key itself
	}
	if minor < abilities.serverless[major] {
		r.fail("database.engineVersion", "%s has no Aurora Serverless v2; that begins with %d.%d",
			version, major, abilities.serverless[major])
		return
	}
	low := r.number("database.minCapacity")
	for _, c := range []struct {
		key  string
		hit  bool
		from map[int]int
	}{
		{"database.minCapacity", low == 0 && r.at["database.minCapacity"] != nil, abilities.pause},
		{"database.minCapacity", low > 128, abilities.above128},
		{"database.maxCapacity", r.number("database.maxCapacity") > 128, abilities.above128},
	} {
		if c.hit && minor < c.from[major] {
			r.fail(c.key, "%v needs version %d.%d or newer, and database.engineVersion is %s",
				r.number(c.key), major, c.from[major], version)
		}
	}
}

// mostVariables leaves a quarter of what Lambda allows to the function's other variables.
const mostVariables = 3 << 10

// size is that of placeholders and Flyway settings as variables of the function.
func (v values) size() int {
	n := 0
	for name, value := range v.texts("placeholders") {
		n += len("FLYWAY_PLACEHOLDERS_") + len(name) + len(value)
	}
	for name, value := range variables(v.texts("flyway")) {
		n += len(name) + len(value)
	}
	return n
}

// place checks account, region, and all that lies in a region.
func (r rules) place(pipeline bool) {
	for _, pair := range [][2]string{{"account", "region"}, {"region", "account"}} {
		switch key, other := pair[0], pair[1]; {
		case r.given[key]:
		case pipeline:
			r.fail(key, "required, since a pipeline is configured")
		case r.given[other]:
			r.fail(key, "required where %s is given", other)
		}
	}
	region := r.text("region")
	r.zones(region)
	if region == "" {
		return
	}
	for _, key := range []string{"database.secretArn", "database.kmsKeyArn"} {
		if parts := strings.Split(r.text(key), ":"); len(parts) > 3 && parts[3] != region {
			r.fail(key, "lies in the region %s, the environment in %s", parts[3], region)
		}
	}
}

// zones checks that the zones lie in one region, that of the environment where
// it is given. Which of a region's zones an account has, and what is offered in
// them, only AWS can tell.
func (r rules) zones(region string) {
	for i, zone := range r.list("database.availabilityZones") {
		of := zone[:len(zone)-1]
		switch {
		case region != "" && of != region:
			r.fail("database.availabilityZones", "%q does not lie in the region %s", zone, region)
		case region == "" && i == 0:
			region = of
		}
	}
}

func (r rules) existing() {
	for _, key := range r.ofScope(MadeHere) {
		r.fail(key.Path, "is for a database made here, but %s says that it exists", r.ofScope(Exists)[0].Path)
	}
	for _, key := range r.keys {
		if key.Absent == required && !r.given[key.Path] {
			r.fail(key.Path, "required, since %s says that the database exists", r.ofScope(Exists)[0].Path)
		}
	}
	zones, subnets := r.list("database.availabilityZones"), r.list("database.subnetIds")
	if len(zones) > 0 && len(subnets) > 0 && len(zones) != len(subnets) {
		r.fail("database.availabilityZones", "%d for %d subnetIds: one for each, in their order", len(zones),
			len(subnets))
	}
	if group := r.text("database.securityGroupId"); group != "" && slices.Contains(r.list("clients"), group) {
		r.fail("clients", "%q is the database's own security group", group)
	}
}

// oneArchitecture: the pipeline builds the image once, on a machine of one kind.
func oneArchitecture(all []Config, e *Error) {
	for _, c := range all {
		if first := all[0]; c.Architecture != "" && first.Architecture != "" && c.Architecture != first.Architecture {
			e.add("environments."+c.Name+".architecture", "%q, but %s has %q: a pipeline builds for one",
				c.Architecture, first.Name, first.Architecture)
		}
	}
}
