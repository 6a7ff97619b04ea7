package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"slipway/lambda/workbench/assembly"
)

// runAssembly is `assembly`: it takes the templates of an environment's stacks
// out of what a branch's CDK app made, for tools that must read nothing else of
// it. What is other than expected is on stdout, which a review shows.
func runAssembly(_ context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	var want assembly.Expected
	from := flags.String("from", "", "`folder` with the branch's cdk.out in it")
	to := flags.String("to", "", "`folder` to make")
	flags.StringVar(&want.Account, "account", "", "`number` of the account in which the stacks have to be")
	flags.StringVar(&want.Region, "region", "", "`name` of the region")
	flags.StringVar(&want.LookupRole, "lookup-role", "", "`ARN` of the role that may read there")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0, err
		}
		return 2, usageError{err}
	}
	want.Stacks = flags.Args()
	if *from == "" || *to == "" || want.Account == "" || want.Region == "" || !assembly.Names(want.Stacks) {
		return 2, usageError{errors.New("--from, --to, --account, --region and the names of stacks are needed")}
	}
	if err := assembly.Extract(*from, *to, want); err != nil {
		fmt.Fprintln(b.out, err)
		return 1, nil
	}
	return 0, nil
}
