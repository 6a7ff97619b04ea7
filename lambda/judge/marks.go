package judge

import "slipway/lambda/sqltext"

// marks looks for byte order marks in quoted texts and data, which would not
// be stored. Anywhere else nothing is lost with them.
func (j *judgement) marks(statements []sqltext.Statement, places []int) {
	if len(places) == 0 {
		return
	}
	next := func(start, end int) bool {
		for len(places) > 0 && places[0] <= start {
			places = places[1:]
		}
		return len(places) > 0 && places[0] < end
	}
	for _, s := range statements {
		l := s.Lexer(j.sql)
		for t, ok := l.Next(); ok; t, ok = l.Next() {
			if (t.Kind == sqltext.Literal || t.Kind == sqltext.QuotedName) && next(t.Start, t.End) {
				j.mark(places[0])
			}
		}
		if s.Copies() && next(s.End, s.Next) {
			j.mark(places[0])
		}
	}
}

func (j *judgement) mark(at int) {
	j.add(ReadOtherwise, at, "Flyway takes the character U+FEFF (a byte order mark) out of the text",
		`Remove it, or write it as U&'\FEFF' (in the data of a COPY: \xEF\xBB\xBF).`)
}
