package database

import "slipway/lambda/report"

// How much of the server's notices is kept: a script can raise millions.
const (
	maxNotices     = 10
	maxNoticeBytes = 1000
)

// Notices are what the server said beside its results.
type Notices struct {
	First []string // at most 10, each of at most 1,000 bytes
	More  int      // how many came after those
}

func (n *Notices) add(message string) {
	if len(n.First) == maxNotices {
		n.More++
		return
	}
	n.First = append(n.First, report.Cut(message, maxNoticeBytes))
}
