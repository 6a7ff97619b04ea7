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

// together checks what must hold between keys. A key whose own value was wrong
// counts as given, so that one mistake is one line.
func (v values) together(path string, pipeline bool, e *Error) {
	at := func(key string) string { return path + "." + key }
	v.place(at, pipeline, e)
	if n := v.size(); n > mostVariables {
		e.add(at("placeholders"), "%d bytes with the settings of flyway, more than %d: the variables of a function hold 4 KB in all", n, mostVariables)
	}
	if v.exists() {
		v.existing(at, e)
		return
	}
	if n := len(v.list("database.availabilityZones")); n == 1 || n > 3 {
		e.add(at("database.availabilityZones"), "a cluster made here spans two or three zones, not %d", n)
	}
	if low, high := v.number("database.minCapacity"), v.number("database.maxCapacity"); low > high && v.at["database.maxCapacity"] != nil {
		e.add(at("database.minCapacity"), "%v is more than database.maxCapacity, %v", low, high)
	}
	v.capacities(at, e)
	if v.at["secretsEndpoint"] != nil && v.text("secretsEndpoint") != EndpointCreate {
		e.add(at("secretsEndpoint"), "%q: the subnets of a database made here have no other way to Secrets Manager than %q", v.text("secretsEndpoint"), EndpointCreate)
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
func (v values) capacities(at func(string) string, e *Error) {
	version := v.text("database.engineVersion")
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return // said of the key itself
	}
	if minor < abilities.serverless[major] {
		e.add(at("database.engineVersion"), "%s has no Aurora Serverless v2; that begins with %d.%d",
			version, major, abilities.serverless[major])
		return
	}
	low := v.number("database.minCapacity")
	for _, c := range []struct {
		key  string
		hit  bool
		from map[int]int
	}{
		{"database.minCapacity", low == 0 && v.at["database.minCapacity"] != nil, abilities.pause},
		{"database.minCapacity", low > 128, abilities.above128},
		{"database.maxCapacity", v.number("database.maxCapacity") > 128, abilities.above128},
	} {
		if c.hit && minor < c.from[major] {
			e.add(at(c.key), "%v needs version %d.%d or newer, and database.engineVersion is %s",
				v.number(c.key), major, c.from[major], version)
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
func (v values) place(at func(string) string, pipeline bool, e *Error) {
	for _, pair := range [][2]string{{"account", "region"}, {"region", "account"}} {
		switch key, other := pair[0], pair[1]; {
		case v.given[key]:
		case pipeline:
			e.add(at(key), "required, since a pipeline is configured")
		case v.given[other]:
			e.add(at(key), "required where %s is given", other)
		}
	}
	region := v.text("region")
	v.zones(at, region, e)
	if region == "" {
		return
	}
	for _, key := range []string{"database.secretArn", "database.kmsKeyArn"} {
		if parts := strings.Split(v.text(key), ":"); len(parts) > 3 && parts[3] != region {
			e.add(at(key), "lies in the region %s, the environment in %s", parts[3], region)
		}
	}
}

// zones checks that the zones lie in one region, that of the environment where
// it is given. Which of a region's zones an account has, and what is offered in
// them, only AWS can tell.
func (v values) zones(at func(string) string, region string, e *Error) {
	for i, zone := range v.list("database.availabilityZones") {
		of := zone[:len(zone)-1]
		switch {
		case region != "" && of != region:
			e.add(at("database.availabilityZones"), "%q does not lie in the region %s", zone, region)
		case region == "" && i == 0:
			region = of
		}
	}
}

func (v values) existing(at func(string) string, e *Error) {
	for _, key := range v.ofScope(MadeHere) {
		e.add(at(key.Path), "is for a database made here, but %s says that it exists", v.ofScope(Exists)[0].Path)
	}
	for _, key := range v.keys {
		if key.Absent == required && !v.given[key.Path] {
			e.add(at(key.Path), "required, since %s says that the database exists", v.ofScope(Exists)[0].Path)
		}
	}
	zones, subnets := v.list("database.availabilityZones"), v.list("database.subnetIds")
	if len(zones) > 0 && len(subnets) > 0 && len(zones) != len(subnets) {
		e.add(at("database.availabilityZones"), "%d for %d subnetIds: one for each, in their order", len(zones), len(subnets))
	}
	if group := v.text("database.securityGroupId"); group != "" && slices.Contains(v.list("clients"), group) {
		e.add(at("clients"), "%q is the database's own security group", group)
	}
}

// oneArchitecture: the pipeline builds the image once, on a machine of one kind.
func oneArchitecture(all []Config, e *Error) {
	for _, c := range all {
		if first := all[0]; c.Architecture != "" && first.Architecture != "" && c.Architecture != first.Architecture {
			e.add("environments."+c.Name+".architecture", "%q, but %s has %q: a pipeline builds for one", c.Architecture, first.Name, first.Architecture)
		}
	}
}
