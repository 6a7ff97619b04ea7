package sqltext

import "strings"

// WithoutMarks returns the text as Flyway's parser reads it: it takes away each
// byte order mark, U+FEFF, wherever it stands, unless it follows one that was
// taken away. The places are where they stood, that at the beginning aside.
func WithoutMarks(sql string) (text string, places []int) {
	if !strings.Contains(sql, ByteOrderMark) {
		return sql, nil
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(sql, ByteOrderMark)
		b.WriteString(before)
		if !found {
			return b.String(), places
		}
		if b.Len() > 0 {
			places = append(places, b.Len())
		}
		if sql = strings.TrimPrefix(after, ByteOrderMark); len(sql) < len(after) {
			b.WriteString(ByteOrderMark)
		}
	}
}
