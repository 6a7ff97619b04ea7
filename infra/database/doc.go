// Package database makes the database of an environment, an Aurora PostgreSQL
// Serverless v2 cluster in a VPC of its own, or names one that exists.
//
// It decides how the data is kept: network, encryption, backups, removal. What
// reaches the database besides the configured clients is its caller's.
package database
