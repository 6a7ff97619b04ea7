package flyway

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Result is what Flyway answered. Fields that its command does not have are zero.
type Result struct {
	Operation  string
	Success    *bool // migrate only
	Validation *bool // validate only: whether history and scripts agree
	Migrations []Migration
	Invalid    []Invalid
	Warnings   []string
	Error      *Error
}

// Migration is one entry of info's or migrate's list.
type Migration struct {
	Category    string `json:"category"`
	Version     string `json:"version"`
	Description string `json:"description"`
	Type        string `json:"type"`
	Filepath    string `json:"filepath"`
	State       string `json:"state"` // info only
}

// Invalid is one finding of validate.
type Invalid struct {
	Version      string `json:"version"`
	Description  string `json:"description"`
	Filepath     string `json:"filepath"`
	ErrorDetails struct {
		ErrorCode    string `json:"errorCode"`
		ErrorMessage string `json:"errorMessage"`
	} `json:"errorDetails"`
}

// Error is Flyway's own error object.
type Error struct {
	Code     string `json:"errorCode"`
	SQLState string `json:"sqlState"`
	Message  string `json:"message"`
	Line     int    `json:"lineNumber"`
	Path     string `json:"path"`
	Cause    *Cause `json:"cause"`
}

// Cause is an exception below an error.
type Cause struct {
	Message string `json:"message"`
	Cause   *Cause `json:"cause"`
}

func (e *Error) Error() string { return e.Reason() }

// Reason is the message of the innermost cause: what PostgreSQL said, without
// the frame that Flyway draws around it.
func (e *Error) Reason() string {
	reason := e.Message
	for c := e.Cause; c != nil; c = c.Cause {
		if strings.TrimSpace(c.Message) != "" {
			reason = c.Message
		}
	}
	return strings.TrimSpace(strings.TrimPrefix(reason, "ERROR: "))
}

var unparsed = regexp.MustCompile(`Unable to parse statement in (.+?) at line (\d+) col \d+`)

// Place is the path of the script and the line where the error is, "" and 0 where it has none.
func (e *Error) Place() (path string, line int) {
	if e.Path != "" {
		return e.Path, e.Line
	}
	if m := unparsed.FindStringSubmatch(e.Message); m != nil {
		line, _ = strconv.Atoi(m[2])
		return m[1], line
	}
	return "", 0
}

// decode reads one JSON object from what Flyway prints, however long, and then
// drains the rest so that Flyway never waits for us. Lines before the object
// are skipped. Only what [Result] holds is kept in memory.
func decode(out io.Reader) (*Result, error) {
	r := bufio.NewReaderSize(out, 1<<16)
	defer io.Copy(io.Discard, r) //nolint:errcheck // what is left is of no use
	for {
		head, err := r.Peek(1)
		if err != nil {
			return nil, fmt.Errorf("no JSON in Flyway's output: %w", err)
		}
		if head[0] == '{' {
			break
		}
		if err := skipLine(r); err != nil {
			return nil, fmt.Errorf("no JSON in Flyway's output: %w", err)
		}
	}
	d := json.NewDecoder(r)
	result := &Result{}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("in the JSON of Flyway: %w", err)
	}
	for d.More() {
		key, err := d.Token()
		if err == nil {
			err = result.field(d, key)
		}
		if err != nil {
			return nil, fmt.Errorf("in the JSON of Flyway: %w", noEOF(err))
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("in the JSON of Flyway: %w", noEOF(err))
	}
	return result, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func skipLine(r *bufio.Reader) error {
	for {
		_, err := r.ReadSlice('\n')
		if err != bufio.ErrBufferFull {
			return err
		}
	}
}

func (r *Result) field(d *json.Decoder, key json.Token) error {
	switch key {
	case "operation":
		return d.Decode(&r.Operation)
	case "success":
		return d.Decode(&r.Success)
	case "validationSuccessful":
		return d.Decode(&r.Validation)
	case "migrations":
		return d.Decode(&r.Migrations)
	case "invalidMigrations":
		return d.Decode(&r.Invalid)
	case "warnings":
		return d.Decode(&r.Warnings)
	case "error":
		return d.Decode(&r.Error)
	}
	return skipValue(d)
}

// skipValue reads over one value without keeping it.
func skipValue(d *json.Decoder) error {
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
