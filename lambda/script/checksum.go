package script

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"unicode/utf8"

	"slipway/lambda/sqltext"
)

// Checksum is Flyway's checksum of a script: the CRC-32 of its text in UTF-8
// without line ends and without a byte order mark, as a signed number (the form
// in which flyway_schema_history holds it).
// See org.flywaydb.core.internal.resolver.ChecksumCalculator.
func Checksum(utf8text []byte) int32 {
	text := bytes.TrimPrefix(utf8text, []byte(sqltext.ByteOrderMark))
	sum := crc32.NewIEEE()
	for len(text) > 0 {
		end := bytes.IndexAny(text, "\r\n")
		if end < 0 {
			end = len(text)
		}
		sum.Write(text[:end])
		text = text[min(end+1, len(text)):]
	}
	return int32(sum.Sum32())
}

// checkText refuses what PostgreSQL could not run: bytes that are no UTF-8 and
// NUL. The error says on which line.
func checkText(text []byte) error {
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return fmt.Errorf("line %d holds a NUL byte, which PostgreSQL does not take in text", lineAt(text, i))
	}
	if utf8.Valid(text) {
		return nil
	}
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return fmt.Errorf("line %d is not UTF-8: save the file as UTF-8, or name its encoding (FLYWAY_ENCODING, or "+
		"encoding=… in a .conf file beside it)", lineAt(text, at))
}

func lineAt(text []byte, at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }
