package replacement

import (
	_ "embed"
	"slices"
	"strings"
)

// Each line of properties.txt is a type and the properties whose change replaces
// such a resource, with ? where the specification makes that depend on values.
// It is written from the specification that the pinned command line of the CDK
// brings, by a test of infra.
//
//go:embed properties.txt
var properties string

type property struct {
	name string
	sure bool
}

// replacing are the properties of each type of the four services that an
// environment's data lies with. Another type passes a replacement on to nobody.
var replacing = parseProperties(properties)

// inPlace are properties of an instance that the specification marks with ?, and
// that RDS changes in place, at worst by a restart.
var inPlace = map[string][]string{"AWS::RDS::DBInstance": {
	"AutoMinorVersionUpgrade", "BackupRetentionPeriod", "DBParameterGroupName", "MultiAZ",
	"PreferredMaintenanceWindow", "StorageType",
}}

func parseProperties(text string) map[string][]property {
	all := map[string][]property{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] == "#" {
			continue
		}
		for _, field := range fields[1:] {
			name, depends := strings.CutSuffix(field, "?")
			if !slices.Contains(inPlace[fields[0]], name) {
				all[fields[0]] = append(all[fields[0]], property{name: name, sure: !depends})
			}
		}
	}
	return all
}
