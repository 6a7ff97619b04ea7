package migration

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
)

// nearLimit is the share of its time limit at which a run is reported, so that
// the next one, on more rows, is not the first to be cut off.
const nearLimit = 0.8

// NewAlarms tells the topic of runs that fail and of runs that near their limit.
func NewAlarms(scope constructs.Construct, id string, c environment.Config, function awslambda.IFunction,
	topic awssns.ITopic) {
	here := constructs.NewConstruct(scope, jsii.String(id))
	metric := &awscloudwatch.MetricOptions{Period: awscdk.Duration_Minutes(jsii.Number(5))}
	alarm := func(id, says string, m awscloudwatch.IMetric, threshold float64) {
		a := awscloudwatch.NewAlarm(here, jsii.String(id), &awscloudwatch.AlarmProps{
			AlarmDescription:   jsii.String(says),
			Metric:             m,
			Threshold:          jsii.Number(threshold),
			ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
			EvaluationPeriods:  jsii.Number(1),
			TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
		})
		a.AddAlarmAction(awscloudwatchactions.NewSnsAction(topic))
	}
	errors := *metric
	errors.Statistic = jsii.String("Sum")
	alarm("Failed", fmt.Sprintf("slipway-%s: a run failed; its log has the report", c.Name),
		function.MetricErrors(&errors), 1)

	duration := *metric
	duration.Statistic = jsii.String("Maximum")
	limit := time.Duration(nearLimit * float64(c.Timeout))
	alarm("Slow", fmt.Sprintf("slipway-%s: a run took %v or more of the %v it may take", c.Name, limit, c.Timeout),
		function.MetricDuration(&duration), float64(limit.Milliseconds()))
}
