// Package replacement finds what a change of templates would replace or delete
// of what holds an environment's data: cluster, instance, key, secret, VPC and
// subnets. CloudFormation does either without asking.
//
// It compares templates and knows nothing of AWS: a value that only AWS can tell
// counts by its text. Whether a finding is meant is told by the environment's key
// replace in cdk.json.
package replacement

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// protected are the types of resources that hold data, or that data can't be
// reached or read without, and what people call them.
var protected = map[string]string{
	"AWS::RDS::DBCluster":         "cluster",
	"AWS::RDS::DBInstance":        "instance",
	"AWS::RDS::GlobalCluster":     "global cluster",
	"AWS::KMS::Key":               "key",
	"AWS::KMS::ReplicaKey":        "key",
	"AWS::SecretsManager::Secret": "secret",
	"AWS::EC2::VPC":               "VPC",
	"AWS::EC2::Subnet":            "subnet",
}

// Change is what becomes of one protected resource.
type Change struct {
	Stack, ID, Type string
	Sure            bool // false: only AWS can tell whether it happens
	Deleted         bool // else replaced
	Reasons         []string
}

// String is a sentence: stack, logical id, type, and why, with the values of
// before and after.
func (c Change) String() string {
	verb := "would be "
	if !c.Sure {
		verb = "may be "
	}
	what := "replaced"
	if c.Deleted {
		what = "deleted"
	}
	return fmt.Sprintf("%s: the %s %s (%s) %s%s: %s", c.Stack, protected[c.Type], c.ID, c.Type, verb, what,
		strings.Join(c.Reasons, "; "))
}

// fate is what becomes of a resource that both templates have.
type fate struct {
	sure    bool
	reasons []string
}

// Between are the changes of protected resources from one template of a stack to
// the next, by logical id.
func Between(stack string, before, after Template) []Change {
	fates := replaced(before, after)
	var changes []Change
	for _, id := range slices.Sorted(maps.Keys(before.Resources)) {
		old := before.Resources[id]
		if protected[old.Type] == "" {
			continue
		}
		c := Change{Stack: stack, ID: id, Type: old.Type}
		next, ok := after.Resources[id]
		switch f := fates[id]; {
		case !ok || next.Type != old.Type:
			c.Deleted, c.Sure = true, true
			c.Reasons = gone(id, before, after)
		case f != nil:
			c.Sure, c.Reasons = f.sure, f.reasons
		case next.Condition != "" && condition(old, before) != condition(next, after):
			c.Deleted = true
			c.Reasons = []string{"the condition under which it is there changes"}
		default:
			continue
		}
		changes = append(changes, c)
	}
	return changes
}

// gone says what it means that a resource is not in the template any more.
func gone(id string, before, after Template) []string {
	old := before.Resources[id]
	reasons := []string{"it is not in the template any more"}
	if next, ok := after.Resources[id]; ok {
		reasons[0] = fmt.Sprintf("its type becomes %s", next.Type)
	}
	switch old.DeletionPolicy {
	case "":
	case "Retain", "RetainExceptOnCreate":
		reasons = append(reasons, "by its DeletionPolicy, "+old.DeletionPolicy+
			", the stack lets go of it and it stays in the account")
	default:
		reasons = append(reasons, "its DeletionPolicy is "+old.DeletionPolicy)
	}
	for _, other := range slices.Sorted(maps.Keys(after.Resources)) {
		if _, ok := before.Resources[other]; !ok && after.Resources[other].Type == old.Type {
			reasons = append(reasons, fmt.Sprintf("%s is new: another logical id is another resource", other))
		}
	}
	return reasons
}

// replaced are the resources of any type that would be replaced, by logical id.
// One that refers to another one in a property that replaces it goes with that.
func replaced(before, after Template) map[string]*fate {
	fates := map[string]*fate{}
	for id, next := range after.Resources {
		old, ok := before.Resources[id]
		if !ok || old.Type != next.Type {
			continue
		}
		for _, p := range replacing[next.Type] {
			was, is := old.value(p.name), next.value(p.name)
			if was == is {
				continue
			}
			note(fates, id, p.sure && !intrinsic(was) && !intrinsic(is),
				fmt.Sprintf("%s %s → %s", p.name, shown(was), shown(is)))
		}
	}
	for again := true; again; {
		again = false
		for _, id := range slices.Sorted(maps.Keys(after.Resources)) {
			again = follow(fates, id, before, after) || again
		}
	}
	return fates
}

// follow notes what a resource refers to that is replaced, once for each
// property, and reports whether it noted any.
func follow(fates map[string]*fate, id string, before, after Template) bool {
	next := after.Resources[id]
	if old, ok := before.Resources[id]; !ok || old.Type != next.Type {
		return false
	}
	found := false
	for _, p := range replacing[next.Type] {
		for _, other := range next.refers(p.name) {
			f := fates[other]
			if f == nil || other == id {
				continue
			}
			verb := "would be"
			if !f.sure {
				verb = "may be"
			}
			reason := fmt.Sprintf("%s refers to %s, which %s replaced", p.name, other, verb)
			if fates[id] == nil || !slices.ContainsFunc(fates[id].reasons, func(r string) bool {
				return strings.HasPrefix(r, p.name+" ")
			}) {
				note(fates, id, p.sure && f.sure, reason)
				found = true
			}
		}
	}
	return found
}

func note(fates map[string]*fate, id string, sure bool, reason string) {
	if fates[id] == nil {
		fates[id] = &fate{}
	}
	fates[id].sure = fates[id].sure || sure
	fates[id].reasons = append(fates[id].reasons, reason)
}
