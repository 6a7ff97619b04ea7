// Package pipeline makes the stack slipway-pipeline: what deploys every
// environment on a push to one branch, and judges a pull request before.
//
// It decides what is built where and with which rights. What an environment
// consists of is its caller's (Props.AddStacks), how a release is judged is the
// workbench's, which the build specs call.
package pipeline
