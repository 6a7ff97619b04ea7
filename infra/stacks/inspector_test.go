package stacks_test

import (
	"strings"
	"testing"
)

// The inspector is the function's image in the function's network, told to read
// only. What it is told besides is the same, so that it sees the same history.
func TestInspectorIsTheFunctionThatOnlyReads(t *testing.T) {
	for _, stack := range []string{"slipway-prod", "slipway-old", "slipway-nat", "slipway-dev"} {
		m := template(t, stack)
		function := properties(t, m, "AWS::Lambda::Function", "Function")
		inspector := properties(t, m, "AWS::Lambda::Function", "InspectorFunction")
		for _, name := range []string{"Code", "VpcConfig", "Architectures", "PackageType"} {
			equal(t, stack+": "+name, inspector[name], text(function[name]))
		}
		settings := inspector["Environment"].(map[string]any)["Variables"].(map[string]any)
		equal(t, stack+": read only", settings["SLIPWAY_READ_ONLY"], `"true"`)
		delete(settings, "SLIPWAY_READ_ONLY")
		others := function["Environment"].(map[string]any)["Variables"].(map[string]any)
		log, _ := only(t, m, "AWS::Logs::LogGroup", "Logs")
		equal(t, stack+": log group that a failed deployment names", others["SLIPWAY_LOG_GROUP"], `{"Ref":"`+log+`"}`)
		delete(others, "SLIPWAY_LOG_GROUP")
		equal(t, stack+": the other settings", settings, text(others))
		logs, _ := only(t, m, "AWS::Logs::LogGroup", "InspectorLogs")
		role, _ := only(t, m, "AWS::IAM::Role", "InspectorRole")
		equal(t, stack+": log", inspector["LoggingConfig"], `{"LogGroup":{"Ref":"`+logs+`"}}`)
		equal(t, stack+": role", inspector["Role"], getAtt(role, "Arn"))
	}
}

// Read the secret, write its own log, be attached to the network; no more.
func TestInspectorMayDoThisAndNoMore(t *testing.T) {
	m := template(t, "slipway-prod")
	logs, _ := only(t, m, "AWS::Logs::LogGroup", "InspectorLogs")
	equal(t, "role", statementsOf(t, m, "InspectorRole"), `[`+
		`{"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Effect":"Allow","Resource":`+getAtt(logs, "Arn")+`},`+
		`{"Action":"secretsmanager:GetSecretValue","Effect":"Allow","Resource":`+output("SecretArn")+`},`+
		`{"Action":"kms:Decrypt","Condition":{"StringEquals":{"kms:EncryptionContext:SecretARN":`+output("SecretArn")+
		`,`+
		`"kms:ViaService":{"Fn::Join":["",["secretsmanager.",{"Ref":"AWS::Region"},".",{"Ref":"AWS::URLSuffix"}]]}}},"Effect":"Allow","Resource":`+output("KmsKeyArn")+`},`+
		`{"Action":[`+interfaces+`],"Effect":"Allow","Resource":"*"},`+
		`{"Action":[`+interfaces+
		`],"Condition":{"ArnLike":{"lambda:SourceFunctionArn":{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":lambda:*:*:function:*"]]}}},"Effect":"Deny","Resource":"*"}]`)
}

// Nothing but the stack's outputs, and its own policies, names the inspector:
// no alarm, and nothing that CloudFormation calls.
func TestNothingHangsOnTheInspector(t *testing.T) {
	m := template(t, "slipway-prod")
	id, _ := only(t, m, "AWS::Lambda::Function", "InspectorFunction")
	for other, r := range m["Resources"].(map[string]any) {
		if other != id && strings.Contains(text(r), `"`+id+`"`) {
			t.Errorf("%s names the inspector: %s", other, text(r))
		}
	}
	outputs := m["Outputs"].(map[string]any)
	equal(t, "output", outputs["InspectorName"].(map[string]any)["Value"], `{"Ref":"`+id+`"}`)
	function, _ := only(t, m, "AWS::Lambda::Function", "Function")
	equal(t, "the other's", outputs["FunctionName"].(map[string]any)["Value"], `{"Ref":"`+function+`"}`)
	log, _ := only(t, m, "AWS::Logs::LogGroup", "Logs")
	equal(t, "log", outputs["LogGroupName"].(map[string]any)["Value"], `{"Ref":"`+log+`"}`)
}

// The function compares what it is deployed for with its own environment: both
// sides are put together in the same way.
func TestFunctionKnowsTheDatabaseThatItIsDeployedFor(t *testing.T) {
	for _, stack := range []string{"slipway-nat", "slipway-shared", "slipway-old"} {
		m := template(t, stack)
		variables := properties(t, m, "AWS::Lambda::Function",
			"Function")["Environment"].(map[string]any)["Variables"].(map[string]any)
		id, _ := variables["MASTER_SECRET_ARN"].(string)
		for _, name := range []string{"PGHOST", "PGDATABASE"} {
			if value, ok := variables[name].(string); ok {
				id += " " + value
			}
		}
		equal(t, stack, properties(t, m, "Custom::FlywayMigration", "")["Database"], text(id))
	}
}
