package sqltext

// CutAlike reports whether Flyway and its driver cut the script, see
// [WithoutMarks], into the statements that [Split] returned for it. Strict:
// without the driver's help, for what it has to cut goes to the server
// together. The trouble is nil unless Flyway's parser ends without a result.
func CutAlike(sql string, statements []Statement, strict bool) (bool, *Trouble) {
	pieces, trouble := readAsFlyway(sql)
	return trouble == nil && alike(sql, statements, pieces, strict), trouble
}

// alike reports whether Flyway's pieces, cut once more by the driver, are the
// statements.
func alike(sql string, statements []Statement, pieces []piece, strict bool) bool {
	n := 0
	for _, p := range pieces {
		cuts := []int{p.end}
		var escapes bool
		if n < len(statements) {
			escapes = statements[n].Escapes
		}
		if !p.copies {
			cuts = cuts[:0]
			for _, cut := range readAsDriver(sql[p.start:p.end], escapes) {
				cuts = append(cuts, p.start+cut)
			}
			cuts = append(cuts, p.end)
		}
		from := p.start
		sent := 0
		for _, end := range cuts {
			start := skipBlank(sql[:end], from)
			from = min(end+1, len(sql))
			if start >= end {
				continue
			}
			if n == len(statements) || statements[n].Start != start || statements[n].End != end ||
				statements[n].copies != p.copies {
				return false
			}
			strict = strict || statements[n].OutsideTransaction()
			n++
			sent++
		}
		if sent > 1 && strict {
			return false
		}
	}
	return n == len(statements)
}
