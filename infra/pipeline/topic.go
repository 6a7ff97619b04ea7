package pipeline

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newTopic makes the topic of the pipeline, with a subscription for email
// unless that is "".
func newTopic(scope constructs.Construct, id, email string) awssns.Topic {
	topic := awssns.NewTopic(scope, jsii.String(id), &awssns.TopicProps{EnforceSSL: jsii.Bool(true)})
	if email != "" {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(email), nil))
	}
	return topic
}

// notice is a text that the topic gets when an action of a pipeline comes to a
// state. (CodeStar's notification rules are of no use here: the first one of an
// account fails, since its service-linked role is not there yet.)
type notice struct {
	id, description string
	lines           []string       // fields of the event stand in <>
	detail          map[string]any // which events
	of              []awscodepipeline.IPipeline
}

// failed tells of a failed action: where, why, and where its log is.
func failed(of ...awscodepipeline.IPipeline) notice {
	return notice{
		id: "Failed", description: "An action of a pipeline failed", of: of,
		detail: map[string]any{"state": []string{"FAILED"}},
		lines: []string{
			"The pipeline <pipeline> failed in the stage <stage>, action <action>.",
			"Reason: <execution-result.external-execution-summary>",
			"Log: <execution-result.external-execution-url>",
		},
	}
}

// waiting tells of an environment that waits for a person.
func waiting(of ...awscodepipeline.IPipeline) notice {
	return notice{
		id: "Waiting", description: "A pipeline waits for a person", of: of,
		detail: map[string]any{"state": []string{"STARTED"}, "type": map[string]any{"category": []string{"Approval"}}},
		lines: []string{
			"The pipeline <pipeline> waits for a person: stage <stage>, action <action>.",
			"What would run there is in the approval itself.",
		},
	}
}

// add makes the rule. A field that an event lacks leaves nothing in the text.
func (n notice) add(scope constructs.Construct, topic awssns.Topic) {
	var names []*string
	for _, line := range n.of {
		names = append(names, line.PipelineName())
	}
	n.detail["pipeline"] = names
	var lines []string
	for _, line := range n.lines {
		lines = append(lines, filled(line))
	}
	region := awsevents.EventField_Region()
	lines = append(lines, "https://"+*region+".console.aws.amazon.com/codesuite/codepipeline/pipelines/"+
		*awsevents.EventField_FromPath(jsii.String("$.detail.pipeline"))+"/view?region="+*region)
	awsevents.NewRule(scope, jsii.String(n.id), &awsevents.RuleProps{
		Description: jsii.String(n.description),
		EventPattern: &awsevents.EventPattern{
			Source:     jsii.Strings("aws.codepipeline"),
			DetailType: jsii.Strings("CodePipeline Action Execution State Change"),
			Account:    &[]*string{awscdk.Stack_Of(scope).Account()},
			Detail:     &n.detail,
		},
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewSnsTopic(topic, &awseventstargets.SnsTopicProps{
			Message: awsevents.RuleTargetInput_FromMultilineText(jsii.String(strings.Join(lines, "\n"))),
		})},
	})
}

// filled puts the event's fields where a line names them.
func filled(line string) string {
	before, rest, ok := strings.Cut(line, "<")
	if !ok {
		return line
	}
	field, after, _ := strings.Cut(rest, ">")
	return before + *awsevents.EventField_FromPath(jsii.String("$.detail." + field)) + filled(after)
}
