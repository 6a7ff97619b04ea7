package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"slipway/lambda/workbench/change"
	"slipway/lambda/workbench/check"
	"slipway/lambda/workbench/rehearse"
	"slipway/lambda/workbench/review"
)

// diffFiles are the --diff flags.
type diffFiles []review.Diff

func (d *diffFiles) String() string { return "" }

func (d *diffFiles) Set(value string) error {
	name, file, ok := strings.Cut(value, "=")
	if !ok || name == "" {
		return errors.New("write it as NAME=FILE")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	*d = append(*d, review.Diff{Name: name, Text: string(text)})
	return nil
}

// runReview is `review`: check and rehearse in one, as files for a pull
// request. It ends as they do: 0, 1 when something blocks the merge,
// 2 after a wrong call, and 70 when one of them could not be made. The files
// are written in any case but the wrong call.
func runReview(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	var of branch
	var o rehearsal
	var diffs diffFiles
	of.define(flags)
	of.defineCheck(flags)
	o.define(flags)
	flags.Var(&diffs, "diff", "`NAME=FILE`: the output of cdk diff for an environment; can be repeated")
	made := flags.String("rehearsal", "", "JSON `file` of a review that was made elsewhere, whose rehearsal counts "+
		"here; nothing is run then")
	title := flags.String("title", "", "`text` for the heading")
	markdown := flags.String("markdown", "", "`file` for the Markdown; default: stdout, unless another file is "+
		"asked for")
	limit := flags.Int("limit", 0, fmt.Sprintf("how many `bytes` the Markdown may have; 0 for no limit; %d fits a "+
		"comment of CodeCommit", review.CommentLimit))
	page := flags.String("html", "", "`file` for the page")
	asJSON := flags.String("json", "", "`file` for everything as JSON")
	sarif := flags.String("sarif", "", "`file` for the findings as SARIF")
	approval := flags.String("approval", "", "`file` that says whether a machine may approve: approve, or why not")
	if err := o.parse(b, flags, arguments); err != nil {
		return 2, err
	}
	c, err := of.find(ctx)
	if err != nil {
		return exitNotMade, err
	}
	r := &review.Review{Title: *title, Diffs: diffs}
	if r.Check, err = of.check(ctx, b, c); err != nil {
		r.NotMade = append(r.NotMade, fmt.Sprintf("The scripts could not be checked: %v", err))
	}
	replaced, err := of.comparison.compare(ctx, b, c)
	if err != nil {
		r.NotMade = append(r.NotMade, fmt.Sprintf("What would be deployed could not be compared: %v", err))
	}
	if r.Check != nil {
		r.Check.Add(replaced...)
	}
	if *made != "" {
		r.Rehearsal, err = rehearsalOf(*made)
	} else {
		r.Rehearsal, err = o.rehearse(ctx, b, c)
	}
	if err != nil {
		r.NotMade = append(r.NotMade, fmt.Sprintf("The scripts could not be rehearsed: %v", err))
		r.Rehearsal = nil
	}
	if ctx.Err() != nil {
		return 130, ctx.Err()
	}
	r.Cross()
	for _, reason := range r.NotMade {
		b.say("%s", reason)
	}
	if *approval != "" {
		r.Withheld = withheld(ctx, c, r.Check)
	}
	outputs := []struct {
		file  string
		write func(*os.File) error
	}{
		{*markdown, func(f *os.File) error { _, err := f.WriteString(r.Markdown(*limit)); return err }},
		{*page, func(f *os.File) error {
			text, err := r.HTML(ctx)
			if err == nil {
				_, err = f.Write(text)
			}
			return err
		}},
		{*asJSON, func(f *os.File) error { return r.WriteJSON(f) }},
		{*sarif, func(f *os.File) error {
			if r.Check == nil {
				return nil
			}
			return r.Check.WriteSARIF(f)
		}},
		{*approval, func(f *os.File) error { _, err := f.WriteString(approvalOf(r)); return err }},
	}
	written := false
	for _, out := range outputs {
		if out.file == "" {
			continue
		}
		if err := writeFile(out.file, out.write); err != nil {
			return exitNotMade, err
		}
		written = true
	}
	if !written {
		fmt.Fprint(b.out, r.Markdown(*limit))
	}
	b.say("review: %s", r.Verdict())
	switch {
	case len(r.NotMade) > 0:
		return exitNotMade, nil
	case !r.OK():
		return 1, nil
	}
	return 0, nil
}

// approves is what --approval writes for an approval, and what comment takes for one.
const approves = "approve\n"

func approvalOf(r *review.Review) string {
	switch {
	case r.Approves():
		return approves
	case len(r.Withheld) == 0:
		return r.Verdict() + "\n"
	}
	return strings.Join(r.Withheld, "\n") + "\n"
}

// withheld says what in a branch wants a person: what no check of scripts has
// judged, and findings that the branch itself waives.
func withheld(ctx context.Context, c *change.Change, found *check.Result) []string {
	reasons, err := c.Beyond(ctx)
	if c.Against == "" {
		reasons = append(reasons, "There is no target branch to compare with.")
	}
	if err != nil {
		reasons = append(reasons, fmt.Sprintf("What the branch changes besides scripts is not known: %v", err))
	}
	if found == nil {
		return reasons
	}
	for _, f := range found.Findings {
		if f.Waived != "" {
			reasons = append(reasons, fmt.Sprintf("%q waives %s", f.At(), f.Rule))
		}
	}
	return reasons
}

func writeFile(name string, write func(*os.File) error) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// rehearsalOf reads the rehearsal out of what --json has written. A pull
// request's scripts are run where nobody may comment or approve, and its answer
// is data here.
func rehearsalOf(file string) (*rehearse.Report, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var elsewhere struct {
		Rehearsal *rehearse.Report `json:"rehearsal"`
		NotMade   []string         `json:"notMade"`
	}
	if err := json.Unmarshal(raw, &elsewhere); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if elsewhere.Rehearsal == nil {
		return nil, errors.New(strings.Join(append([]string{"it was not made"}, elsewhere.NotMade...), "; "))
	}
	return elsewhere.Rehearsal, nil
}
