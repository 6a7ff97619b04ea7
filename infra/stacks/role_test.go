package stacks_test

import "testing"

const interfaces = `"ec2:AssignPrivateIpAddresses","ec2:CreateNetworkInterface","ec2:DeleteNetworkInterface","ec2:DescribeNetworkInterfaces","ec2:DescribeSubnets","ec2:UnassignPrivateIpAddresses"`

// Every statement of the function's role. Another one is a decision.
func TestFunctionMayDoThisAndNoMore(t *testing.T) {
	m := template(t, "slipway-prod")
	logs, _ := only(t, m, "AWS::Logs::LogGroup", "Logs")
	statements := func(m map[string]any) any { return statementsOf(t, m, "Role") }
	log := `{"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Effect":"Allow","Resource":` + getAtt(logs, "Arn") +
		`}`
	network := `{"Action":[` + interfaces +
		`,"xray:PutTelemetryRecords","xray:PutTraceSegments"],"Effect":"Allow","Resource":"*"},` +
		`{"Action":[` + interfaces +
		`],"Condition":{"ArnLike":{"lambda:SourceFunctionArn":{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":lambda:*:*:function:*"]]}}},"Effect":"Deny","Resource":"*"}`
	equal(t, "role", statements(m), `[`+log+`,`+
		`{"Action":"secretsmanager:GetSecretValue","Effect":"Allow","Resource":`+output("SecretArn")+`},`+
		`{"Action":"kms:Decrypt","Condition":{"StringEquals":{"kms:EncryptionContext:SecretARN":`+output("SecretArn")+
		`,`+
		`"kms:ViaService":{"Fn::Join":["",["secretsmanager.",{"Ref":"AWS::Region"},".",{"Ref":"AWS::URLSuffix"}]]}}},"Effect":"Allow","Resource":`+output("KmsKeyArn")+`},`+
		network+`]`)
	equal(t, "role without a key of its own", statements(template(t, "slipway-nat")), `[`+log+`,`+
		`{"Action":"secretsmanager:GetSecretValue","Effect":"Allow","Resource":"arn:aws:secretsmanager:us-east-1:444455556666:secret:shop-AbCdEf"},`+network+`]`)
}

// statementsOf a role, without the mark of a rerun.
func statementsOf(t *testing.T, m map[string]any, role string) []any {
	t.Helper()
	all := properties(t, m, "AWS::IAM::Policy", role)["PolicyDocument"].(map[string]any)["Statement"].([]any)
	delete(all[0].(map[string]any), "Sid")
	return all
}

func TestRolesHaveNothingBesideTheirStatements(t *testing.T) {
	for _, stack := range []string{"slipway-prod", "slipway-old", "slipway-prod-database"} {
		m := template(t, stack)
		for id, role := range resources(m, "AWS::IAM::Role") {
			p := role["Properties"].(map[string]any)
			if p["ManagedPolicyArns"] != nil || p["Policies"] != nil || p["RoleName"] != nil {
				t.Errorf("%s of %s: %s", id, stack, text(p))
			}
		}
	}
}

// The framework may call the function and write its own log.
func TestFrameworkRole(t *testing.T) {
	m := template(t, "slipway-prod")
	logs, _ := only(t, m, "AWS::Logs::LogGroup", "FrameworkLogs")
	function, _ := only(t, m, "AWS::Lambda::Function", "Function")
	arn := getAtt(function, "Arn")
	equal(t, "role", statementsOf(t, m, "FrameworkRole"), `[`+
		`{"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Effect":"Allow","Resource":`+getAtt(logs, "Arn")+`},`+
		`{"Action":"lambda:InvokeFunction","Effect":"Allow","Resource":[`+arn+`,{"Fn::Join":["",[`+arn+`,":*"]]}]},`+
		`{"Action":"lambda:GetFunction","Effect":"Allow","Resource":`+arn+`}]`)
}

// A topic with a policy of its own has lost the default one: alarms must be named.
func TestAlarmsMayPublish(t *testing.T) {
	m := template(t, "slipway-prod")
	topic, _ := only(t, m, "AWS::SNS::Topic", "")
	statements := properties(t, m, "AWS::SNS::TopicPolicy", "")["PolicyDocument"].(map[string]any)["Statement"]
	equal(t, "topic's policy", statements, `[`+
		`{"Action":"sns:Publish","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":"*","Resource":{"Ref":"`+topic+`"},"Sid":"AllowPublishThroughSSLOnly"},`+
		`{"Action":"sns:Publish","Condition":{"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}},"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Resource":{"Ref":"`+topic+`"},"Sid":"AlarmsOfThisAccount"}]`)
	equal(t, "email address", properties(t, m, "AWS::SNS::Subscription", "")["Endpoint"], `"ops@example.com"`)
	for id, alarm := range resources(m, "AWS::CloudWatch::Alarm") {
		equal(t, id, alarm["Properties"].(map[string]any)["AlarmActions"], `[{"Ref":"`+topic+`"}]`)
	}
}

// No secret is in what anyone who may look at a function can read.
func TestFunctionsVariables(t *testing.T) {
	variables := func(stack string) map[string]any {
		return properties(t, template(t, stack), "AWS::Lambda::Function",
			"Function")["Environment"].(map[string]any)["Variables"].(map[string]any)
	}
	prod, nat := variables("slipway-prod"), variables("slipway-nat")
	delete(prod, "AWS_ENDPOINT_URL_SECRETS_MANAGER")
	for _, m := range []map[string]any{prod, nat} {
		equal(t, "log group", m["SLIPWAY_LOG_GROUP"], `{"Ref":"Logs6819BB44"}`)
		delete(m, "SLIPWAY_LOG_GROUP")
	}
	equal(t, "prod", prod, `{"FLYWAY_OUT_OF_ORDER":"true","FLYWAY_PLACEHOLDERS_TENANT":"acme","MASTER_SECRET_ARN":`+
		output("SecretArn")+
		`,"PGDATABASE":"shop","PGHOST":`+output("Host")+`,"PGPORT":"6543","SLIPWAY_CLUSTER":`+output("ClusterId")+
		`,"SLIPWAY_COMMAND":"make {} ENVIRONMENT=prod","SLIPWAY_LOCK_TIMEOUT":"5s","SLIPWAY_PROTECTED":"true"}`)
	equal(t, "nat", nat, `{"MASTER_SECRET_ARN":"arn:aws:secretsmanager:us-east-1:444455556666:secret:shop-AbCdEf",`+
		`"PGDATABASE":"shop","PGHOST":"db.example.com","PGPORT":"5432","SLIPWAY_CLUSTER":"shop","SLIPWAY_COMMAND":"make {} ENVIRONMENT=nat","SLIPWAY_LOCK_TIMEOUT":"5s","SLIPWAY_PROTECTED":"true"}`)
}
