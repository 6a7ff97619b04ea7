package untrusted

import "strings"

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// Line is s in one line: line ends and tabs become spaces. It is what terminals,
// logs and CloudFormation's reason get.
func Line(s string) string {
	s = strings.NewReplacer("\n", " ", "\t", " ").Replace(lineEnds.Replace(s))
	return visible(s, "")
}

// Text is s with its lines and tabs. Where lines of others must not pass for
// lines of ours, use [Indented].
func Text(s string) string { return visible(lineEnds.Replace(s), "\n\t") }

// Indented is Text whose lines but the first are set in.
func Indented(s string) string { return strings.ReplaceAll(Text(s), "\n", "\n    ") }

// defused keeps mail programs from making links of addresses, and CodePipeline
// from taking a part of the text for a variable.
var defused = strings.NewReplacer("://", ": //", "www.", "www .", "WWW.", "WWW .", "#{", "# {", "@", " @ ")

// Approval is s in one line of an approval's comment, which CodePipeline shows
// and sends by mail.
func Approval(s string) string { return defused.Replace(Line(s)) }
