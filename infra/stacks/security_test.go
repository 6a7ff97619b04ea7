package stacks_test

import (
	"slices"
	"strings"
	"testing"
)

const fromDatabase = `{"Fn::GetStackOutput":{"OutputName":"%","StackName":"slipway-prod-database"}}`

// output is how prod's migration names an output of its database.
func output(name string) string { return strings.Replace(fromDatabase, "%", name, 1) }

func getAtt(id, attribute string) string { return `{"Fn::GetAtt":["` + id + `","` + attribute + `"]}` }

// The function gets to the database's port and to its endpoint and nowhere else,
// and nothing else gets to the endpoint.
func TestFunctionReachesTwoThings(t *testing.T) {
	m := template(t, "slipway-prod")
	function, _ := only(t, m, "AWS::EC2::SecurityGroup", "NetworkGroup")
	endpoint, _ := only(t, m, "AWS::EC2::SecurityGroup", "NetworkSecretsEndpointGroup")
	group := properties(t, m, "AWS::EC2::SecurityGroup", "NetworkGroup")
	equal(t, "ways out", group["SecurityGroupEgress"], `[`+
		`{"Description":"Database","DestinationSecurityGroupId":`+output("SecurityGroupId")+
		`,"FromPort":6543,"IpProtocol":"tcp","ToPort":6543},`+
		`{"Description":"Secrets Manager","DestinationSecurityGroupId":`+getAtt(endpoint, "GroupId")+
		`,"FromPort":443,"IpProtocol":"tcp","ToPort":443}]`)
	equal(t, "ways in", group["SecurityGroupIngress"], `null`)
	equal(t, "the endpoint's ways out",
		properties(t, m, "AWS::EC2::SecurityGroup", "NetworkSecretsEndpointGroup")["SecurityGroupEgress"],
		`[{"CidrIp":"127.0.0.1/32","Description":"No way out","IpProtocol":"-1"}]`)

	equal(t, "rules beside the groups", rules(m), `[`+
		`"`+escaped(getAtt(endpoint, "GroupId"))+` 443 from `+escaped(getAtt(function, "GroupId"))+`",`+
		`"`+escaped(output("SecurityGroupId"))+` 6543 from `+escaped(getAtt(function, "GroupId"))+`"]`)
	if n := len(resources(m, "AWS::EC2::SecurityGroupEgress")); n != 0 {
		t.Errorf("%d more ways out", n)
	}
	equal(t, "the function's network", properties(t, m, "AWS::Lambda::Function", "Function")["VpcConfig"],
		`{"SecurityGroupIds":[`+getAtt(function, "GroupId")+`],"SubnetIds":[`+output("SubnetId1")+`,`+
			output("SubnetId2")+`,`+output("SubnetId3")+`]}`)
}

// The database lets in the clients, itself and the function, on its port.
func TestDatabaseLetsInWhomItMust(t *testing.T) {
	d := template(t, "slipway-prod-database")
	group, resource := only(t, d, "AWS::EC2::SecurityGroup", "SecurityGroup")
	self := escaped(getAtt(group, "GroupId"))
	equal(t, "rules", rules(d), `["`+self+` 6543 from sg-0000000000000000a","`+self+` 6543 from `+self+`"]`)
	equal(t, "rules in the group", resource["Properties"].(map[string]any)["SecurityGroupIngress"], `null`)
	equal(t, "ways out", properties(t, d, "AWS::EC2::SecurityGroupEgress", "")["DestinationSecurityGroupId"],
		getAtt(group, "GroupId"))
	equal(t, "groups of the cluster", properties(t, d, "AWS::RDS::DBCluster", "")["VpcSecurityGroupIds"], `[`+
		getAtt(group, "GroupId")+`]`)
}

func TestExistingDatabaseIsOpenedOnlyByRulesOfItsOwn(t *testing.T) {
	old := template(t, "slipway-old")
	for _, rule := range resources(old, "AWS::EC2::SecurityGroupIngress") {
		p := rule["Properties"].(map[string]any)
		if p["CidrIp"] != nil || p["SourceSecurityGroupId"] == nil {
			t.Errorf("opened to addresses: %s", text(p))
		}
	}
	if n := len(resources(old, "AWS::EC2::SecurityGroupIngress")); n != 3 {
		t.Errorf("%d rules, not three: the function's to the database and to the endpoint, the client's", n)
	}
}

func TestWaysToSecretsManager(t *testing.T) {
	nat, shared := template(t, "slipway-nat"), template(t, "slipway-shared")
	for name, m := range map[string]map[string]any{"nat": nat, "shared": shared} {
		if n := len(resources(m, "AWS::EC2::VPCEndpoint")); n != 0 {
			t.Errorf("%s makes an endpoint", name)
		}
		variables := properties(t, m, "AWS::Lambda::Function",
			"Function")["Environment"].(map[string]any)["Variables"].(map[string]any)
		if url := variables["AWS_ENDPOINT_URL_SECRETS_MANAGER"]; url != nil {
			t.Errorf("%s: another address: %v", name, url)
		}
	}
	equal(t, "way to the internet", egress(t, nat)[1],
		`{"CidrIp":"0.0.0.0/0","Description":"Secrets Manager by the way to the internet","FromPort":443,"IpProtocol":"tcp","ToPort":443}`)
	equal(t, "way to an endpoint that exists", egress(t, shared)[1],
		`{"Description":"Secrets Manager","DestinationSecurityGroupId":"sg-0000000000000000e","FromPort":443,"IpProtocol":"tcp","ToPort":443}`)
}

func egress(t *testing.T, m map[string]any) []any {
	return properties(t, m, "AWS::EC2::SecurityGroup", "NetworkGroup")["SecurityGroupEgress"].([]any)
}

func TestEndpointAnswersTheFunctionsAboutOneSecret(t *testing.T) {
	m := template(t, "slipway-prod")
	role, _ := only(t, m, "AWS::IAM::Role", "Role")
	inspector, _ := only(t, m, "AWS::IAM::Role", "InspectorRole")
	endpoint := properties(t, m, "AWS::EC2::VPCEndpoint", "")
	equal(t, "policy", endpoint["PolicyDocument"].(map[string]any)["Statement"],
		`[{"Action":"secretsmanager:GetSecretValue","Condition":{"ArnEquals":{"aws:PrincipalArn":[`+getAtt(role, "Arn")+
			`,`+getAtt(inspector, "Arn")+`]}},"Effect":"Allow","Principal":{"AWS":"*"},"Resource":`+output("SecretArn")+
			`}]`)
	equal(t, "private DNS, which others would meet", endpoint["PrivateDnsEnabled"], `false`)
}

// Data: encrypted with a key that outlives it, kept, and not reachable from outside.
func TestDatabaseIsKept(t *testing.T) {
	d := template(t, "slipway-prod-database")
	key, resource := only(t, d, "AWS::KMS::Key", "")
	equal(t, "key on removal", resource["DeletionPolicy"], `"Retain"`)
	equal(t, "key on replacement", resource["UpdateReplacePolicy"], `"Retain"`)
	equal(t, "key rotation", properties(t, d, "AWS::KMS::Key", "")["EnableKeyRotation"], `true`)
	_, cluster := only(t, d, "AWS::RDS::DBCluster", "")
	equal(t, "cluster on removal", cluster["DeletionPolicy"], `"Snapshot"`)
	equal(t, "cluster on replacement", cluster["UpdateReplacePolicy"], `"Snapshot"`)
	p := cluster["Properties"].(map[string]any)
	for name, want := range map[string]string{
		"StorageEncrypted":                `true`,
		"KmsKeyId":                        getAtt(key, "Arn"),
		"MasterUserSecret":                `{"KmsKeyId":` + getAtt(key, "Arn") + `}`,
		"ManageMasterUserPassword":        `true`,
		"MasterUserPassword":              `null`,
		"EnableIAMDatabaseAuthentication": `true`,
		"DeletionProtection":              `true`,
		"BackupRetentionPeriod":           `7`,
		"CopyTagsToSnapshot":              `true`,
		"DBClusterIdentifier":             `null`,
	} {
		equal(t, name, p[name], want)
	}
	equal(t, "address for all", properties(t, d, "AWS::RDS::DBInstance", "")["PubliclyAccessible"], `false`)
	equal(t, "connections without TLS", properties(t, d, "AWS::RDS::DBClusterParameterGroup", "")["Parameters"],
		`{"rds.force_ssl":"1"}`)
	if !*all().stacks["prod"].Database.TerminationProtection() ||
		*all().stacks["dev"].Database.TerminationProtection() {
		t.Error("the database's stack is to be protected unless it is throwaway")
	}
}

func TestNetworkHasNoWayOut(t *testing.T) {
	d := template(t, "slipway-prod-database")
	for _, kind := range []string{"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route",
		"AWS::EC2::EIP"} {
		if n := len(resources(d, kind)); n != 0 {
			t.Errorf("%d %s", n, kind)
		}
	}
	subnets := resources(d, "AWS::EC2::Subnet")
	if len(subnets) != 3 {
		t.Errorf("%d subnets, not one in each of three zones", len(subnets))
	}
	for id, subnet := range subnets {
		equal(t, id, subnet["Properties"].(map[string]any)["MapPublicIpOnLaunch"], `false`)
	}
}

func TestThrowawayAndRetained(t *testing.T) {
	dev := template(t, "slipway-dev-database")
	_, cluster := only(t, dev, "AWS::RDS::DBCluster", "")
	equal(t, "throwaway cluster on removal", cluster["DeletionPolicy"], `"Delete"`)
	equal(t, "throwaway cluster's protection", cluster["Properties"].(map[string]any)["DeletionProtection"], `false`)
	_, key := only(t, dev, "AWS::KMS::Key", "")
	equal(t, "even its key", key["DeletionPolicy"], `"Retain"`)
	secret := properties(t, dev, "AWS::SecretsManager::Secret", "")
	if secret["KmsKeyId"] == nil || secret["Name"] != nil {
		t.Errorf("the generated secret is not encrypted with the key, or has a name: %s", text(secret))
	}
	for id, r := range template(t, "slipway-keep-database")["Resources"].(map[string]any) {
		equal(t, "removal retain: "+id, r.(map[string]any)["DeletionPolicy"], `"Retain"`)
	}
}

// CloudFormation forgets the schema without calling the function, and gives it
// the time of a run and a margin.
func TestSchema(t *testing.T) {
	_, schema := only(t, template(t, "slipway-prod"), "Custom::FlywayMigration", "")
	equal(t, "on removal", schema["DeletionPolicy"], `"Retain"`)
	p := schema["Properties"].(map[string]any)
	equal(t, "time", p["ServiceTimeout"], `"1140"`)
	equal(t, "scripts", p["Scripts"], `{"V4__orders.sql":"34d81b14","shop/V5__customers.sql":"fe48ef83"}`)
	equal(t, "order", p["Order"], `"1778000000"`)
	equal(t, "database", p["Database"], `{"Fn::Join":["",[`+output("SecretArn")+`," ",`+output("Host")+`," shop"]]}`)
}

// Applications that are deployed from elsewhere read the version there: it is
// written after the run, never before.
func TestVersionParameterWaitsForTheSchema(t *testing.T) {
	for _, environment := range []string{"prod", "old"} {
		tpl := template(t, "slipway-"+environment)
		id, _ := only(t, tpl, "Custom::FlywayMigration", "")
		_, parameter := only(t, tpl, "AWS::SSM::Parameter", "")
		p := parameter["Properties"].(map[string]any)
		equal(t, "name", p["Name"], `"/slipway/`+environment+`/schema-version"`)
		equal(t, "value", p["Value"], `"5"`)
		if !strings.Contains(text(parameter["DependsOn"]), `"`+id+`"`) {
			t.Errorf("%s: the parameter does not wait for the schema: %s", environment, text(parameter["DependsOn"]))
		}
	}
}

// What the migration reads of the database has to be there, whole, first.
func TestMigrationWaitsForTheDatabase(t *testing.T) {
	var needs []string
	for _, d := range *all().artifact("slipway-prod").Dependencies() {
		needs = append(needs, *d.Id())
	}
	if !strings.Contains(strings.Join(needs, " "), "slipway-prod-database") {
		t.Errorf("slipway-prod does not wait for its database: %v", needs)
	}
	outputs := template(t, "slipway-prod-database")["Outputs"].(map[string]any)
	for _, part := range strings.Split(text(template(t, "slipway-prod")), `"OutputName":"`)[1:] {
		if name, _, _ := strings.Cut(part, `"`); outputs[name] == nil {
			t.Errorf("the database's stack has no output %s", name)
		}
	}
}

// Exports in use can't change; a template without them never blocks another.
func TestNoExportsNoLookups(t *testing.T) {
	for _, stack := range *all().assembly.Stacks() {
		tpl := text(plain(t, stack.Template()))
		if strings.Contains(tpl, `"Export"`) || strings.Contains(tpl, "Fn::ImportValue") {
			t.Errorf("%s exports or imports", *stack.StackName())
		}
	}
	if missing := all().assembly.Manifest().Missing; missing != nil && len(*missing) > 0 {
		t.Errorf("asks AWS for %s", text(missing))
	}
}

// rules lists the ways in that are resources of their own: "<group> <port> from <group>".
func rules(m map[string]any) []string {
	var out []string
	for _, r := range resources(m, "AWS::EC2::SecurityGroupIngress") {
		p := r["Properties"].(map[string]any)
		if text(p["FromPort"]) != text(p["ToPort"]) || p["IpProtocol"] != "tcp" {
			out = append(out, "not one port: "+text(p))
			continue
		}
		out = append(out, side(p["GroupId"])+" "+text(p["FromPort"])+" from "+side(p["SourceSecurityGroupId"]))
	}
	slices.Sort(out)
	return out
}

// side is one side of a rule: a group's id, or the expression that gives it.
func side(v any) string {
	if id, ok := v.(string); ok {
		return id
	}
	return text(v)
}

// escaped is a text as it stands inside a JSON text.
func escaped(s string) string { return strings.ReplaceAll(s, `"`, `\"`) }
