package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"slipway/lambda/report"
	"slipway/lambda/workbench/deployed"
)

// ask has the inspector read the history, which proves the way to it.
func (x *exam) ask(ctx context.Context) {
	r, err := x.info(ctx)
	if err != nil {
		x.secret(ctx, nil)
		x.unanswered(err)
		x.afterwards("the inspector did not say", partConnection, partHistory)
		return
	}
	x.secret(ctx, r)
	if r.Database.ServerVersion == "" {
		if r.Code == report.SecretUnreadable {
			x.afterwards("the secret has to be read first", partConnection, partHistory)
			return
		}
		x.add(partConnection, Wrong, string(r.Code)+": "+r.Message, r.Next)
		x.afterwards("the database has to be reached first", partDatabase, partHistory)
		return
	}
	x.connected(r.Database)
	x.history(r)
}

func (x *exam) info(ctx context.Context) (*report.Report, error) {
	client, err := deployed.Connect(ctx, x.Environment, "")
	if err != nil {
		return nil, err
	}
	client.Progress = x.Progress
	return client.Ask(ctx, deployed.Request{Command: "info"})
}

// unanswered adds the row of an inspector that gave no report.
func (x *exam) unanswered(err error) {
	const part = "inspector's report"
	switch {
	case errors.Is(err, deployed.ErrNoInspector):
		x.add(part, Unchecked, err.Error(), "infra/cdk deploy "+x.migration.name)
	case denied(err):
		x.unread(part, "lambda:InvokeFunction", err)
	default:
		x.add(part, Wrong, err.Error(), "Its log says more: CloudWatch has it under the name of its log group.")
	}
}

// secret looks at the secret from outside; r is the inspector's report, which
// has read it or not, or nil. Nothing here reads what is in the secret.
func (x *exam) secret(ctx context.Context, r *report.Report) {
	unread := r != nil && r.Code == report.SecretUnreadable
	if x.secretARN == "" {
		if unread {
			x.add(partSecret, Wrong, r.Message, r.Next)
		} else {
			x.add(partSecret, Unchecked, "the function's configuration, which names it, was not read", "")
		}
		return
	}
	found, err := secretsmanager.NewFromConfig(x.aws).DescribeSecret(ctx,
		&secretsmanager.DescribeSecretInput{SecretId: &x.secretARN})
	switch {
	case codeOf(err) == "ResourceNotFoundException":
		x.add(partSecret, Wrong, x.secretARN+" is not there", x.anotherSecret())
	case err == nil && found.DeletedDate != nil:
		x.add(partSecret, Wrong, fmt.Sprintf("%s is to be deleted, asked for on %s", x.secretARN,
			found.DeletedDate.UTC().Format(time.DateOnly)),
			"aws secretsmanager restore-secret --secret-id "+x.secretARN+x.region())
	case unread:
		x.add(partSecret, Wrong, r.Message, r.Next)
	case r != nil && r.Database.User != "":
		x.add(partSecret, OK, x.secretARN+", read by the inspector", "")
	case err != nil:
		x.unread(partSecret, "secretsmanager:DescribeSecret", err)
	default:
		x.add(partSecret, Unchecked, x.secretARN+" is there; the inspector did not say whether it can read it", "")
	}
}

// anotherSecret is the next step where the secret is gone for good.
func (x *exam) anotherSecret() string {
	if x.Environment.Exists {
		return "Correct environments." + x.Environment.Name + ".database.secretArn in cdk.json, " +
			"then infra/cdk deploy " + x.migration.name
	}
	return "A cluster that is restored from a snapshot gets a new one: infra/RESTORE.md."
}

// connected adds what is known of a session that the inspector had.
func (x *exam) connected(d report.Database) {
	at := fmt.Sprintf("%s on %s:%d", d.Name, d.Host, d.Port)
	switch {
	case d.TLS == "":
		x.add(partConnection, Unchecked, at+"; the release deployed there does not say whether by TLS",
			"The next deployment brings one that does.")
	case d.TLS == report.NoTLS:
		x.add(partConnection, Wrong, at+", without TLS", "Take SLIPWAY_INSECURE_TLS out of the functions' variables.")
	case !d.Verified:
		x.add(partConnection, Wrong, at+", "+d.TLS+", and the server's certificate is not verified",
			"Take SLIPWAY_INSECURE_TLS out of the functions' variables.")
	default:
		x.add(partConnection, OK, at+", "+d.TLS+", the server's certificate and name verified", "")
	}
	x.add(partDatabase, OK, "PostgreSQL "+d.ServerVersion, "")
	rights := "no rights over other roles or databases"
	if len(d.Rights) > 0 {
		rights = strings.Join(d.Rights, ", ")
	}
	if d.TLS == "" {
		rights = "its rights are not known before the next deployment"
	}
	x.add(partRole, OK, d.User+": "+rights, "")
}

// history adds what the inspector found in the history.
func (x *exam) history(r *report.Report) {
	look := "make info ENVIRONMENT=" + x.Environment.Name + " shows each script."
	switch {
	case !r.OK():
		x.add(partHistory, Wrong, string(r.Code)+": "+r.Message, r.Next)
	case len(r.Problems) > 0:
		var reasons []string
		for _, p := range r.Problems {
			reasons = append(reasons, strings.TrimSpace(p.Script+" "+p.Reason))
		}
		x.add(partHistory, Wrong, strings.Join(append(r.Warnings, reasons...), "; "), look)
	case len(r.Warnings) > 0:
		x.add(partHistory, Warning, r.Counts()+"; "+strings.Join(r.Warnings, "; "), look)
	default:
		x.add(partHistory, OK, r.Counts()+" of the release deployed there", "")
	}
}
