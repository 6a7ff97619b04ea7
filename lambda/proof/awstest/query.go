package awstest

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// query answers the services that take forms and answer XML.
func (a *AWS) query(w http.ResponseWriter, r *http.Request, who string, body []byte, note func(string)) {
	form, err := url.ParseQuery(string(body))
	action := form.Get("Action")
	if err != nil || action == "" {
		refuse(w, http.StatusNotImplemented, "NotImplemented", r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Amz-Target"))
		return
	}
	note(action)
	if a.Denied[action] {
		w.WriteHeader(http.StatusForbidden)
		if action == "DescribeVpcEndpoints" {
			fmt.Fprint(w, `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>`)
			return
		}
		fmt.Fprint(w, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>`)
		return
	}
	stack := form.Get("StackName")
	_, exists := a.Stacks[stack]
	switch action {
	case "AssumeRole":
		a.nextID++
		key := fmt.Sprintf("ASIA%08d", a.nextID)
		role, session := form.Get("RoleArn"), form.Get("RoleSessionName")
		a.roles[key] = sessionARN(role, session)
		answer(w, action, fmt.Sprintf(
			`<Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>x</SessionToken><Expiration>%s</Expiration></Credentials>`+
				`<AssumedRoleUser><Arn>%s</Arn><AssumedRoleId>AROA:%s</AssumedRoleId></AssumedRoleUser>`, key,
			time.Now().Add(time.Hour).UTC().Format(time.RFC3339), a.roles[key], session))
	case "GetCallerIdentity":
		answer(w, action, fmt.Sprintf(`<Arn>%s</Arn><UserId>U</UserId><Account>%s</Account>`, who,
			strings.Split(who, ":")[4]))
	case "DescribeVpcEndpoints":
		a.endpoints(w, form)
	case "DescribeStackResources":
		a.resources(w, stack)
	case "DescribeStacks", "GetTemplate":
		if !exists {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id %s does not exist</Message></Error><RequestId>1</RequestId></ErrorResponse>`, stack)
			return
		}
		if action == "GetTemplate" {
			answer(w, action, `<TemplateBody>`+escape(a.Templates[stack])+`</TemplateBody>`)
			return
		}
		var outputs strings.Builder
		for key, value := range a.Stacks[stack] {
			fmt.Fprintf(&outputs, `<member><OutputKey>%s</OutputKey><OutputValue>%s</OutputValue></member>`, key,
				escape(value))
		}
		answer(w, action, fmt.Sprintf(
			`<Stacks><member><StackId>arn:aws:cloudformation:eu-central-1:%s:stack/%s/1</StackId><StackName>%s</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>`+
				`<EnableTerminationProtection>%t</EnableTerminationProtection><StackStatus>%s</StackStatus><Outputs>%s</Outputs></member></Stacks>`, Account, stack, stack, a.Protected[stack], cmp.Or(a.Status[stack], "CREATE_COMPLETE"), outputs.String()))
	default:
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>the stand-in does not know %s</Message></Error><RequestId>1</RequestId></ErrorResponse>`, action)
	}
}

// sessionARN is who a session of a role is.
func sessionARN(role, session string) string {
	return strings.Replace(strings.Replace(role, ":iam:", ":sts:", 1), ":role/", ":assumed-role/", 1) + "/" + session
}

func answer(w http.ResponseWriter, action, inner string) {
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, `<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></%[1]sResponse>`, action, inner)
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
