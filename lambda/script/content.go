package script

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
)

// ErrChanged says that a file is another one than the one that was judged.
var ErrChanged = errors.New("was changed after this run had read it")

// digestOfFile is the SHA-256 of a file's bytes.
type digestOfFile [sha256.Size]byte

func sumOf(raw []byte) digestOfFile { return sha256.Sum256(raw) }

// Bytes is the file as it is stored, and as it was when the release was loaded:
// otherwise the error is [ErrChanged]. Only the digest is kept in memory.
func (f File) Bytes() ([]byte, error) {
	raw, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, fmt.Errorf("can't be read: %v", reason(err))
	}
	if f.sum != (digestOfFile{}) && f.sum != sumOf(raw) {
		return nil, ErrChanged
	}
	return raw, nil
}

// Text is the file's content in UTF-8, a byte order mark included. It fails as
// [File.Bytes] does.
func (f File) Text() ([]byte, error) {
	raw, err := f.Bytes()
	if err != nil {
		return nil, err
	}
	return f.decoded(raw)
}

func (f File) decoded(raw []byte) ([]byte, error) {
	text, err := decode(f.Encoding, raw)
	if err != nil {
		return nil, err
	}
	return text, checkText(text)
}
