package migration

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// What the inspector needs: it starts no Java. The time is for a cluster that
// resumes from zero capacity, and for a history of thousands of rows.
const (
	inspectorMemory  = 512
	inspectorTimeout = 2 * time.Minute
)

// NewInspector makes a second function of the same image that only reads: info,
// validate, and the plan of a revert. The program refuses the rest by a setting
// of its environment, so that a right to call this one is no right to change
// the database. It starts no Flyway, whose callbacks a release can bring.
func NewInspector(scope constructs.Construct, id string, p FunctionProps) awslambda.Function {
	settings := variables(p.Config, p.Database, p.Network.SecretsURL)
	settings["SLIPWAY_READ_ONLY"] = "true"
	return p.newFunction(scope, id, &awslambda.DockerImageFunctionProps{
		Description: jsii.String(fmt.Sprintf("Reads the history of slipway-%s and changes nothing", p.Config.Name)),
		MemorySize:  jsii.Number(inspectorMemory),
		Timeout:     awscdk.Duration_Seconds(jsii.Number(inspectorTimeout.Seconds())),
		Environment: pointers(settings),
	})
}
