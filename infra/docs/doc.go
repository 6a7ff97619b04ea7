// Package docs checks the project's pages: links lead somewhere, and commands of
// the README that nothing else follows do what it says. It has only tests.
package docs
