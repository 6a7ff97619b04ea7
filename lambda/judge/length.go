package judge

import (
	"fmt"

	"slipway/lambda/sqltext"
)

// length looks whether Flyway could hold the statement in memory. Data of COPY
// are no part of it: Flyway reads them line by line.
func (j *judgement) length(s sqltext.Statement, longestMB int) {
	mb := (s.End - s.Start) >> 20
	if longestMB == 0 || mb <= longestMB {
		return
	}
	j.add(TooLong, s.Start, fmt.Sprintf("the statement has %d MB, and Flyway has memory for one of %d MB at most", mb,
		longestMB),
		"Split it, write COPY … FROM STDIN with the rows below it, or give the function more memory (configuration: "+
			"memory); large data are better loaded outside of migrations, on Aurora from S3 (aws_s3).")
}
