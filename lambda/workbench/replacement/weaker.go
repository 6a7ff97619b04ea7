package replacement

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// strength orders the policies for what becomes of a resource.
var strength = map[string]int{"Delete": 0, "Snapshot": 1, "RetainExceptOnCreate": 2, "Retain": 2}

// weaker says where protected resources that stay lose protection against a
// later deletion: nothing is lost by that alone.
func weaker(before, after Template) []string {
	var said []string
	for _, id := range slices.Sorted(maps.Keys(before.Resources)) {
		old := before.Resources[id]
		next, ok := after.Resources[id]
		if protected[old.Type] == "" || !ok || next.Type != old.Type {
			continue
		}
		add := func(name, was, is string) {
			said = append(said, fmt.Sprintf("the %s %s (%s) is protected less: %s %s → %s",
				protected[old.Type], id, old.Type, name, was, is))
		}
		for _, p := range []struct{ name, was, is string }{
			{"DeletionPolicy", old.DeletionPolicy, next.DeletionPolicy},
			{"UpdateReplacePolicy", old.UpdateReplacePolicy, next.UpdateReplacePolicy},
		} {
			was, is := effective(old.Type, p.name, p.was), effective(old.Type, p.name, p.is)
			if strength[is] < strength[was] {
				add(p.name, was, is)
			}
		}
		if old.value("DeletionProtection") == `"true"` && next.value("DeletionProtection") != `"true"` {
			add("DeletionProtection", "true", "false")
		}
	}
	return said
}

// effective is a policy with CloudFormation's default: a cluster is deleted after
// a snapshot, all else without.
func effective(kind, policy, given string) string {
	if kind == "AWS::RDS::DBCluster" && policy == "DeletionPolicy" {
		return cmp.Or(given, "Snapshot")
	}
	return cmp.Or(given, "Delete")
}
