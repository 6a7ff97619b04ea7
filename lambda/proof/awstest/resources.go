package awstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Resource is a resource of a stack, as AWS knows it.
type Resource struct{ Type, ID string }

// denied refuses an operation that the test takes away from everybody.
func (a *AWS) denied(w http.ResponseWriter, operation string) bool {
	if a.Denied[operation] {
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"__type": "AccessDeniedException", "message": "not authorized"}`)
	}
	return a.Denied[operation]
}

// configuration is what GetFunction says of a function.
func (a *AWS) configuration(w http.ResponseWriter, name, state string) {
	if _, there := a.Functions[name]; !there {
		refuse(w, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+name)
		return
	}
	reply(w, map[string]any{"Configuration": map[string]any{
		"FunctionName": name, "State": state, "StateReason": "as the test has it",
		"Environment": map[string]any{"Variables": a.Variables[name]},
	}})
}

// jsonCall is what only some tests ask of services with JSON.
func (a *AWS) jsonCall(w http.ResponseWriter, operation string, body []byte) {
	var question struct{ LogGroupNamePrefix, SecretId string }
	_ = json.Unmarshal(body, &question)
	switch operation {
	case "DescribeLogGroups":
		groups := []map[string]string{}
		if a.LogGroups[question.LogGroupNamePrefix] {
			groups = append(groups, map[string]string{"logGroupName": question.LogGroupNamePrefix})
		}
		reply(w, map[string]any{"logGroups": groups})
	case "DescribeSecret":
		deleted, there := a.Secrets[question.SecretId]
		if !there {
			refuse(w, http.StatusBadRequest, "ResourceNotFoundException", "no such secret")
			return
		}
		answer := map[string]any{"ARN": question.SecretId}
		if deleted > 0 {
			answer["DeletedDate"] = deleted
		}
		reply(w, answer)
	}
}

// endpoints answers DescribeVpcEndpoints for one endpoint.
func (a *AWS) endpoints(w http.ResponseWriter, form url.Values) {
	id := form.Get("VpcEndpointId.1")
	state, there := a.Endpoints[id]
	w.Header().Set("Content-Type", "text/xml")
	if !there {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w,
			`<Response><Errors><Error><Code>InvalidVpcEndpointId.NotFound</Code><Message>none</Message></Error></Errors></Response>`)
		return
	}
	fmt.Fprintf(w,
		`<DescribeVpcEndpointsResponse><vpcEndpointSet><item><state>%s</state></item></vpcEndpointSet></DescribeVpcEndpointsResponse>`, state)
}

// resources answers DescribeStackResources.
func (a *AWS) resources(w http.ResponseWriter, stack string) {
	var members strings.Builder
	for _, r := range a.Resources[stack] {
		fmt.Fprintf(&members, `<member><LogicalResourceId>x</LogicalResourceId><PhysicalResourceId>%s</PhysicalResourceId>`+
			`<ResourceType>%s</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus><Timestamp>2026-01-01T00:00:00Z</Timestamp></member>`,
			escape(r.ID), r.Type)
	}
	answer(w, "DescribeStackResources", `<StackResources>`+members.String()+`</StackResources>`)
}
