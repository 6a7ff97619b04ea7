// Package stacks puts an environment together: the stack of its database, where
// that is made here, and the stack of its migration.
//
// [New] is called at the app's root, for a deployment from a laptop, and in the
// environment's stage of the pipeline. Both make the same stacks of the same
// names, so that either way works on what the other one has left.
package stacks
