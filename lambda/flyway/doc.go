// Package flyway runs Flyway's command line once, as a child process, and
// reads its answer.
//
// It decides how the process is built (argv, environment, Java's flags), how
// it ends with everything that it started, and what its JSON and exit code
// mean together. Which command to run and what the answer means for the
// release is its caller's.
package flyway
