package script

import "strings"

// withoutMarks returns the text as Flyway's parser reads it: it takes away each
// byte order mark, U+FEFF, wherever it stands, unless it follows one that was
// taken away. The places are where they stood, that at the beginning aside.
func withoutMarks(sql string) (text string, places []int) {
	if !strings.Contains(sql, bom) {
		return sql, nil
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(sql, bom)
		b.WriteString(before)
		if !found {
			return b.String(), places
		}
		if b.Len() > 0 {
			places = append(places, b.Len())
		}
		if sql = strings.TrimPrefix(after, bom); len(sql) < len(after) {
			b.WriteString(bom)
		}
	}
}

// marks looks for byte order marks in quoted texts and data, which would not
// be stored. Anywhere else nothing is lost with them.
func (j *judgement) marks(statements []Statement, places []int) {
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
		l := lexer{sql: j.sql[:s.End], at: s.Start, escapes: s.escapes}
		for t, ok := l.next(); ok; t, ok = l.next() {
			if (t.kind == text || t.kind == quoted) && next(t.start, t.end) {
				j.mark(places[0])
			}
		}
		if s.copies && next(s.End, s.next) {
			j.mark(places[0])
		}
	}
}

func (j *judgement) mark(at int) {
	j.add(ReadOtherwise, at, "Flyway takes the character U+FEFF (a byte order mark) out of the text",
		`Remove it, or write it as U&'\FEFF' (in the data of a COPY: \xEF\xBB\xBF).`)
}
