package pipeline

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
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

// notify tells the topic of these events of a pipeline. It also lets the
// service publish there.
func notify(line awscodepipeline.IPipeline, topic awssns.Topic, events ...awscodepipeline.PipelineNotificationEvents) {
	line.NotifyOn(jsii.String("Notify"), topic, &awscodepipeline.PipelineNotifyOnOptions{Events: &events})
}
