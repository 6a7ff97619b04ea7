// Package environment turns the context of cdk.json into typed configuration.
//
// It decides which keys there are, what they may hold, what holds when they are
// left out, and which of them go together; [Keys] is the one table of all that.
// It makes nothing in AWS and knows nothing of the CDK: what a setting means in
// a template is its caller's.
package environment
