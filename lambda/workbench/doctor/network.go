package doctor

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
)

// endpoint looks at the way to Secrets Manager that the stack has made.
func (x *exam) endpoint(ctx context.Context) {
	ids, err := x.resources(ctx, x.Environment.Stack(), "AWS::EC2::VPCEndpoint")
	if err != nil {
		x.unread(partEndpoint, "cloudformation:DescribeStackResources", err)
		return
	}
	if len(ids) == 0 {
		x.add(partEndpoint, OK, "the stack makes none (secretsEndpoint in cdk.json)", "")
		return
	}
	id := ids[0]
	form := url.Values{"Action": {"DescribeVpcEndpoints"}, "Version": {"2016-11-15"}, "VpcEndpointId.1": {id}}
	raw, err := x.call(ctx, "ec2", "application/x-www-form-urlencoded", "", form.Encode())
	var answer struct {
		Endpoints []struct {
			State string `xml:"state"`
		} `xml:"vpcEndpointSet>item"`
	}
	if err == nil {
		err = xml.Unmarshal(raw, &answer)
	}
	gone := strings.Contains(codeOf(err), "NotFound") || err == nil && len(answer.Endpoints) == 0
	switch {
	case gone:
		x.add(partEndpoint, Wrong, id+" is gone, and the stack believes that it is there", x.anew())
	case err != nil:
		x.unread(partEndpoint, "ec2:DescribeVpcEndpoints", err)
	default:
		state := answer.Endpoints[0].State
		switch strings.ToLower(state) {
		case "available":
			x.add(partEndpoint, OK, id+": "+state, "")
		case "pending", "pendingacceptance", "partial":
			x.add(partEndpoint, Warning, id+": "+state, "AWS makes it ready: ask again in some minutes.")
		default:
			x.add(partEndpoint, Wrong, id+": "+state, x.anew())
		}
	}
}

// logs looks whether what the functions write is kept: without their groups it
// is lost, for their roles may not make one.
func (x *exam) logs(ctx context.Context) {
	names, err := x.resources(ctx, x.Environment.Stack(), "AWS::Logs::LogGroup")
	if err != nil {
		x.unread(partLogs, "cloudformation:DescribeStackResources", err)
		return
	}
	var gone []string
	for _, name := range names {
		there, err := x.logGroup(ctx, name)
		if err != nil {
			x.unread(partLogs, "logs:DescribeLogGroups", err)
			return
		}
		if !there {
			gone = append(gone, name)
		}
	}
	if len(gone) == 0 {
		x.add(partLogs, OK, strings.Join(names, ", "), "")
		return
	}
	x.add(partLogs, Wrong, strings.Join(gone, ", ")+": gone, so that nothing is logged there",
		fmt.Sprintf("aws logs create-log-group --log-group-name %s%s, "+
			"then aws logs put-retention-policy with --retention-in-days", gone[0], x.region()))
}

// logGroup reports whether there is a log group of that name.
func (r *reader) logGroup(ctx context.Context, name string) (bool, error) {
	question, err := json.Marshal(map[string]string{"logGroupNamePrefix": name})
	if err != nil {
		return false, err
	}
	raw, err := r.call(ctx, "logs", "application/x-amz-json-1.1", "Logs_20140328.DescribeLogGroups", string(question))
	if err != nil {
		return false, err
	}
	// The name itself is the first of those that begin with it.
	var answer struct {
		LogGroups []struct{ LogGroupName string }
	}
	err = json.Unmarshal(raw, &answer)
	return err == nil && len(answer.LogGroups) > 0 && answer.LogGroups[0].LogGroupName == name, err
}
