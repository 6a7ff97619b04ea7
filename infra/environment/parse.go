package environment

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// keys of the context itself, besides CDK's own ("@aws-cdk/…", "aws:cdk:…").
var contextKeys = []string{"environments", "images", "pipeline", "rerun"}

// own tells Slipway's keys of the context from those of the CDK and of others,
// which have a sign in their names.
var own = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)

// Parse reads the context of cdk.json: plain JSON values, whole numbers as
// float64. With a pipeline the account and region of every
// environment are required, and one architecture for all.
// Whatever is wrong is in one *[Error].
func Parse(context map[string]any) (Project, error) {
	var p Project
	e := &Error{}
	for _, name := range sorted(context) {
		if !slices.Contains(contextKeys, name) && own.MatchString(name) {
			e.add(name, "no such key%s", didYouMean(name, contextKeys))
		}
	}
	p.Images = images(context["images"], e)
	if rerun, ok := context["rerun"]; ok {
		if p.Rerun, ok = rerun.(string); !ok || p.Rerun == "" {
			e.add("rerun", "%s is not a text, such as the time of a restore", jsonKind(rerun))
		}
	}
	raw, ok := context["environments"].(map[string]any)
	switch {
	case !ok && context["environments"] != nil:
		e.add("environments", "%s is not an object of environments", jsonKind(context["environments"]))
	case len(raw) == 0:
		e.add("environments", "none: cdk.json's context names at least one, such as {\"environments\": {\"dev\": {}}}")
	}
	given, pipeline := context["pipeline"]
	for _, name := range sorted(raw) {
		p.Environments = append(p.Environments, config(name, raw[name], pipeline, e))
	}
	if pipeline {
		oneArchitecture(p.Environments, e)
		p.Pipeline = parsePipeline(given, p.Environments, e)
		if p.Pipeline != nil && p.Pipeline.DockerHubSecret != "" &&
			strings.Contains(p.Images.Flyway+p.Images.Go, ".dkr.ecr.") {
			e.add("pipeline.dockerHubSecretArn", "does not go together with an image of ECR in images: the build "+
				"would log in to Docker Hub only. Take both images from the mirror")
		}
	}
	return p, e.orNil()
}

var environmentName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// nameProblem keeps the environments' stacks apart from each other's and from
// the pipeline's. A longer name would make role names of more than 64 characters,
// which AWS cuts in the middle: the pipeline knows the reader's by its beginning.
func nameProblem(name string) string {
	switch {
	case len(name) > 27 || !environmentName.MatchString(name):
		return "an environment's name is a small letter, then small letters, digits and single hyphens, 27 at most"
	case name == "pipeline" || name == "database" || strings.HasSuffix(name, "-database"):
		return "this name's stack would be taken for another one: choose another name"
	}
	return ""
}

func config(name string, raw any, pipeline bool, e *Error) Config {
	path := "environments." + name
	if reason := nameProblem(name); reason != "" {
		e.add(path, "%s", reason)
	}
	keys, ok := raw.(map[string]any)
	if !ok {
		e.add(path, "%s is not an object", jsonKind(raw))
		return Config{Name: name}
	}
	v := newValues(Keys)
	v.read(keys, path, "", e)
	v.fill()
	rules{v, path, e}.environment(pipeline)
	return v.config(name)
}

func (v values) config(name string) Config {
	c := Config{
		Name:            name,
		Account:         v.text("account"),
		Region:          v.text("region"),
		Throwaway:       v.flag("throwaway"),
		Approval:        v.flag("approval"),
		Clients:         v.list("clients"),
		SecretsEndpoint: v.text("secretsEndpoint"),
		Memory:          v.whole("memory"),
		Timeout:         v.duration("timeout"),
		Architecture:    v.text("architecture"),
		Placeholders:    v.texts("placeholders"),
		Flyway:          variables(v.texts("flyway")),
		LockTimeout:     v.duration("lockTimeout"),
		LogDays:         v.whole("logRetentionDays"),
		AlarmEmail:      v.text("alarmEmail"),
		Tags:            v.texts("tags"),
	}
	c.Database = Database{
		Exists:            v.exists(),
		Name:              v.text("database.name"),
		Port:              v.whole("database.port"),
		Baseline:          v.text("database.baseline"),
		AvailabilityZones: v.list("database.availabilityZones"),
	}
	if c.Database.Exists {
		c.Database.Existing = ExistingDatabase{
			VpcID:           v.text("database.vpcId"),
			SubnetIDs:       v.list("database.subnetIds"),
			SecurityGroupID: v.text("database.securityGroupId"),
			SecretArn:       v.text("database.secretArn"),
			KmsKeyArn:       v.text("database.kmsKeyArn"),
			Host:            v.text("database.host"),
			Cluster:         v.text("database.cluster"),
		}
		return c
	}
	if c.Database.Name == "" {
		c.Database.Name = "app"
	}
	c.Database.New = NewDatabase{
		VpcCIDR:            v.text("database.vpcCidr"),
		EngineVersion:      v.text("database.engineVersion"),
		MinCapacity:        v.number("database.minCapacity"),
		MaxCapacity:        v.number("database.maxCapacity"),
		Password:           v.text("database.password"),
		DeletionProtection: v.flag("database.deletionProtection"),
		BackupDays:         v.whole("database.backupDays"),
		Removal:            v.text("database.removal"),
	}
	return c
}

// imageName is registry/path:tag@digest, of which the path alone is compulsory.
// A tag can be moved to another image; a digest is the image.
var imageName = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:\d{1,5})?/)?` +
	`[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*` +
	`(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$`)

// isImage leaves out a digest without a name, which is a name and a tag by its form.
func isImage(name string) bool {
	return imageName.MatchString(name) && !strings.HasPrefix(name, "sha256:")
}

var sumsName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*\.sums$`)

func images(raw any, e *Error) Images {
	var i Images
	known := map[string]*string{"flyway": &i.Flyway, "go": &i.Go}
	names, ok := raw.(map[string]any)
	if raw != nil && !ok {
		e.add("images", "%s is not an object", jsonKind(raw))
	}
	for _, name := range sorted(names) {
		path := fmt.Sprintf("images.%s", name)
		if name == "sums" {
			if i.Sums, ok = names[name].(string); !ok || !sumsName.MatchString(i.Sums) {
				e.add(path, "%s is not the name of a list in docker/, such as flyway-13.sums", jsonKind(names[name]))
			}
			continue
		}
		target, ok := known[name]
		if !ok {
			e.add(path, "no such key%s", didYouMean(name, append(sorted(known), "sums")))
			continue
		}
		if *target, ok = names[name].(string); !ok || !isImage(*target) {
			e.add(path, "%s is not an image such as registry.example.com/flyway/flyway:12.4.0 "+
				"or golang:1.26@sha256:<64 hexadecimal digits>", jsonKind(names[name]))
		}
	}
	return i
}
