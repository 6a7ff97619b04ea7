// Package untrusted shows text that others wrote (names, SQL, messages of
// PostgreSQL) where it is read: on a terminal, in Markdown, in a page, in an
// approval, in CloudFormation's reason, in JSON. What it returns says the same
// to a reader and does nothing else: it moves no cursor, hides no character,
// draws no link and calls nobody.
//
// It decides what is shown in place of what. Where a text comes from, and how
// much of it is shown, is its caller's.
package untrusted

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// blank are characters that count as letters, marks or symbols and show
// nothing: fillers, joiners, and selectors that change the character before.
var blank = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x034f, Hi: 0x034f, Stride: 1}, // combining grapheme joiner
		{Lo: 0x115f, Hi: 0x1160, Stride: 1}, // Hangul fillers
		{Lo: 0x17b4, Hi: 0x17b5, Stride: 1}, // Khmer inherent vowels
		{Lo: 0x180b, Hi: 0x180f, Stride: 1}, // Mongolian selectors
		{Lo: 0x2800, Hi: 0x2800, Stride: 1}, // Braille blank
		{Lo: 0x3164, Hi: 0x3164, Stride: 1}, // Hangul filler
		{Lo: 0xfe00, Hi: 0xfe0f, Stride: 1}, // variation selectors
		{Lo: 0xffa0, Hi: 0xffa0, Stride: 1}, // half-width Hangul filler
		{Lo: 0xfffc, Hi: 0xfffc, Stride: 1}, // object replacement
	},
	R32: []unicode.Range32{{Lo: 0xe0100, Hi: 0xe01ef, Stride: 1}}, // more variation selectors
}

// shows tells whether a reader sees the character, in its place. Control and
// format characters (direction, zero width, tags), line separators, private and
// unassigned ones do not.
func shows(r rune) bool { return unicode.IsGraphic(r) && !unicode.Is(blank, r) }

// AllShows reports whether a reader sees every character of s.
func AllShows(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !shows(r) }) < 0
}

// visible replaces what does not show, except for those of keep, by its number,
// such as (U+202E) or, for a byte that is no character, (0xFF).
func visible(s, keep string) string {
	if AllShows(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "(0x%02X)", s[i])
		case shows(r) || strings.ContainsRune(keep, r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "(%U)", r)
		}
		i += size
	}
	return b.String()
}
