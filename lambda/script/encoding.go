package script

import (
	"bytes"
	"fmt"
	"regexp"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
)

// Encode writes a text in the encoding of that IANA name; "" is UTF-8. It
// fails for a name that is not known and characters that the encoding lacks.
func Encode(name, text string) ([]byte, error) {
	if name == "" {
		return []byte(text), nil
	}
	enc, err := encodingOf(name)
	if err != nil {
		return nil, err
	}
	return enc.NewEncoder().Bytes([]byte(text))
}

// decode is the way back.
func decode(name string, raw []byte) ([]byte, error) {
	if name == "" {
		return raw, nil
	}
	enc, err := encodingOf(name)
	if err != nil {
		return nil, err
	}
	// The decoder puts U+FFFD where Flyway's would fail.
	text, err := enc.NewDecoder().Bytes(raw)
	if i := bytes.IndexRune(text, utf8.RuneError); err == nil && i >= 0 {
		err = fmt.Errorf("see line %d", lineAt(text, i))
	}
	if err != nil {
		return nil, fmt.Errorf("is not in the encoding %q: %v", name, err)
	}
	return text, nil
}

func encodingOf(name string) (encoding.Encoding, error) {
	enc, err := ianaindex.IANA.Encoding(name)
	if err != nil || enc == nil {
		return nil, fmt.Errorf("unknown encoding %q", name)
	}
	iana, _ := ianaindex.IANA.Name(enc)
	mime, _ := ianaindex.MIME.Name(enc) // the name of some that is in use
	if !sameInJava.MatchString(iana) && !sameInJava.MatchString(mime) {
		return nil, fmt.Errorf("the encoding %q is not supported: Java reads some characters of it otherwise, and "+
			"checksums would differ; convert the script to UTF-8", name)
	}
	return enc, nil
}

// sameInJava are the encodings of which Java's tables and these were compared,
// and are the same.
var sameInJava = regexp.MustCompile(
	`^(?i:UTF-8|UTF-16|UTF-16LE|UTF-16BE|US-ASCII|ISO-8859-\d+|windows-125\d|IBM(437|850|852|855|862|866)|KOI8-R)$`)
