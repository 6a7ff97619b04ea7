// Package ground is a place on this machine where the stacks of an environment
// deploy for real: an emulator of AWS's API, Docker for the image function,
// and a PostgreSQL that plays Aurora.
//
// It decides how these are started, wired to each other and ended, and with
// which versions. What is deployed there is its caller's. Nothing of it
// outlives the process that started it, however that ends; the downloads stay
// in the user's cache.
package ground
