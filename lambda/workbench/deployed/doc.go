// Package deployed talks to an environment that is deployed: it finds the
// functions by the outputs of the stack slipway-<environment>, and asks them:
// the inspector what only reads, the other one what changes the database.
//
// It decides where an environment is (cdk.json) and in which role it is asked.
// What the answer means is its caller's.
package deployed
