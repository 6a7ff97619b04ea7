package environment

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// values are the checked values of one object of the context by the path of
// their key, each in the Go type of its kind. given tells those that stood in
// the context.
type values struct {
	keys  []Key // those that there are
	at    map[string]any
	given map[string]bool
}

func newValues(keys []Key) values {
	return values{keys: keys, at: map[string]any{}, given: map[string]bool{}}
}

// read checks the keys of raw, which stands at path, and adds them to v. prefix
// is that of the keys in [Keys]: "" or "database.".
func (v values) read(raw map[string]any, path, prefix string, e *Error) {
	for _, name := range sorted(raw) {
		at := path + "." + name
		if prefix == "" && name == "database" && v.nested() {
			if inner, ok := raw[name].(map[string]any); ok {
				v.read(inner, at, "database.", e)
			} else {
				e.add(at, "is not an object")
			}
			continue
		}
		key, ok := v.lookup(prefix + name)
		if !ok {
			e.add(at, "no such key%s", v.suggestion(name, prefix))
			continue
		}
		v.given[key.Path] = true
		value, reason := key.Kind.convert(raw[name])
		if reason == "" && key.check != nil {
			reason = key.check(value)
		}
		if reason != "" {
			e.add(at, "%s", reason)
			continue
		}
		v.at[key.Path] = value
	}
}

// fill adds the defaults of what was not given.
func (v values) fill() {
	throwaway := v.flag("throwaway")
	for _, key := range v.keys {
		if def := key.value(throwaway); !v.given[key.Path] && def != nil {
			v.at[key.Path], _ = key.Kind.convert(def)
		}
	}
}

// suggestion is the end of a message about a name that is not a key below prefix: it may
// be misspelt, or stand at the other level.
func (v values) suggestion(name, prefix string) string {
	if _, ok := v.lookup("database." + name); ok {
		return fmt.Sprintf("; did you mean %q?", "database."+name)
	}
	if _, ok := v.lookup(name); ok {
		return "; it belongs one level up"
	}
	return didYouMean(name, v.siblings(prefix))
}

func (v values) siblings(prefix string) []string {
	var out []string
	if prefix == "" && v.nested() {
		out = append(out, "database")
	}
	for _, key := range v.keys {
		if name, ok := strings.CutPrefix(key.Path, prefix); ok && !strings.Contains(name, ".") {
			out = append(out, name)
		}
	}
	return out
}

// nested tells whether there are keys below "database".
func (v values) nested() bool {
	_, ok := v.lookup("database.name")
	return ok
}

// lookup returns the key of that path.
func (v values) lookup(path string) (Key, bool) {
	for _, k := range v.keys {
		if k.Path == path {
			return k, true
		}
	}
	return Key{}, false
}

// convert makes a JSON value, or a default as Go writes it, the kind's Go type:
// string, int, float64, bool, time.Duration, []string or map[string]string.
func (k Kind) convert(raw any) (any, string) {
	wrong := fmt.Sprintf("%s is not a %s", jsonKind(raw), k)
	switch k {
	case Text:
		if s, ok := raw.(string); ok && s != "" {
			return s, ""
		} else if ok {
			return nil, "is empty: leave the key out"
		}
		return nil, fmt.Sprintf("%s is not a text: write it in quotes", jsonKind(raw))
	case Flag:
		if b, ok := raw.(bool); ok {
			return b, ""
		}
		return nil, fmt.Sprintf("%s is neither true nor false (without quotes)", jsonKind(raw))
	case Whole, Decimal:
		n, ok := raw.(float64)
		if i, isInt := raw.(int); isInt {
			n, ok = float64(i), true
		}
		if !ok || (k == Whole && (n != math.Trunc(n) || math.Abs(n) > 1e9)) {
			return nil, wrong
		}
		if k == Whole {
			return int(n), ""
		}
		return n, ""
	case Duration:
		s, _ := raw.(string)
		d, err := time.ParseDuration(s)
		if err != nil {
			return nil, wrong
		}
		return d, ""
	case List:
		entries, ok := raw.([]any)
		if !ok {
			return nil, wrong
		}
		list := make([]string, len(entries))
		for i := range entries {
			if list[i], ok = entries[i].(string); !ok {
				return nil, fmt.Sprintf("entry %d: %s is not a text", i+1, jsonKind(entries[i]))
			}
		}
		return list, ""
	default:
		return texts(raw)
	}
}

func texts(raw any) (any, string) {
	entries, ok := raw.(map[string]any)
	if !ok {
		return nil, fmt.Sprintf("%s is not an object of texts", jsonKind(raw))
	}
	out := map[string]string{}
	for _, name := range sorted(entries) {
		if out[name], ok = entries[name].(string); !ok {
			return nil, fmt.Sprintf("%q: %s is not a text: write it in quotes", name, jsonKind(entries[name]))
		}
	}
	return out, ""
}

// jsonKind shows a value for a message, without repeating long ones.
func jsonKind(raw any) string {
	switch v := raw.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("%q", v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

func (v values) text(path string) string    { s, _ := v.at[path].(string); return s }
func (v values) whole(path string) int      { n, _ := v.at[path].(int); return n }
func (v values) number(path string) float64 { n, _ := v.at[path].(float64); return n }
func (v values) flag(path string) bool      { b, _ := v.at[path].(bool); return b }
func (v values) list(path string) []string  { l, _ := v.at[path].([]string); return slices.Clone(l) }
func (v values) texts(path string) map[string]string {
	m, _ := v.at[path].(map[string]string)
	return m
}
func (v values) duration(path string) time.Duration {
	d, _ := v.at[path].(time.Duration)
	return d
}
