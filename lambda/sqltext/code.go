package sqltext

import "slices"

// Tokens are the words, names, texts and signs of a piece of SQL as they are
// written, without comments and white space.
func Tokens(sql string) []string {
	var list []string
	for l := (Lexer{SQL: sql}); ; {
		t, ok := l.Next()
		if !ok {
			return list
		}
		list = append(list, sql[t.Start:t.End])
	}
}

// SameCode reports whether two scripts differ in nothing but comments, white
// space and line ends: in what PostgreSQL reads, they are the same.
func SameCode(a, b string) bool {
	return slices.EqualFunc(Split(a), Split(b), func(s, t Statement) bool {
		return s.Data == t.Data && slices.Equal(Tokens(a[s.Start:s.End]), Tokens(b[t.Start:t.End]))
	})
}
