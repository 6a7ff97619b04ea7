package replacement

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Template is what is read of a CloudFormation template.
type Template struct {
	Resources  map[string]Resource
	Conditions map[string]any
}

// Resource is one resource of a template.
type Resource struct {
	Type                string
	Properties          map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
	Condition           string
}

// Parse reads a template in JSON, the form in which the CDK deploys one.
func Parse(raw []byte) (Template, error) {
	var t Template
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&t); err != nil {
		return Template{}, fmt.Errorf("a template that is not JSON as the CDK writes it: %w", err)
	}
	return t, nil
}

// value is a property in one text, "" where it is not there. CloudFormation
// takes 5432 for "5432" and true for "true", and the order of a list of texts
// means nothing where a change of it replaces a resource.
func (r Resource) value(property string) string {
	v, ok := r.Properties[property]
	if !ok || isNoValue(v) {
		return ""
	}
	v = scalars(v)
	if list, ok := v.([]any); ok &&
		!slices.ContainsFunc(list, func(e any) bool { _, text := e.(string); return !text }) {
		slices.SortFunc(list, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	}
	return compact(v)
}

func isNoValue(v any) bool {
	ref, ok := v.(map[string]any)
	return ok && len(ref) == 1 && ref["Ref"] == "AWS::NoValue"
}

// scalars has texts for numbers and truth values.
func scalars(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, entry := range v {
			out[key] = scalars(entry)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = scalars(v[i])
		}
		return out
	case nil, string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// compact is a value on one line, its keys in order.
func compact(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // of what JSON has made
	return strings.TrimSpace(b.String())
}

// intrinsic tells whether a value is one that CloudFormation computes.
func intrinsic(text string) bool {
	return strings.HasPrefix(text, "{") || strings.Contains(text, `{"Ref":`) ||
		strings.Contains(text, `{"Fn::`)
}

// longest is what a message shows of a value.
const longest = 120

func shown(text string) string {
	switch {
	case text == "":
		return "none"
	case len(text) > longest:
		return strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

var placeholder = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// refers are the logical ids that a property names by Ref, Fn::GetAtt or Fn::Sub.
func (r Resource) refers(property string) []string {
	var ids []string
	add := func(name any) {
		if text, ok := name.(string); ok {
			id, _, _ := strings.Cut(text, ".")
			ids = append(ids, id)
		}
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, entry := range v {
				walk(entry)
			}
		case map[string]any:
			for key, entry := range v {
				list, _ := entry.([]any)
				switch {
				case key == "Ref":
					add(entry)
				case key == "Fn::GetAtt" && len(list) > 0:
					add(list[0])
				case key == "Fn::GetAtt":
					add(entry)
				case key == "Fn::Sub":
					text, ok := entry.(string)
					if !ok && len(list) > 0 {
						text, _ = list[0].(string)
					}
					for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
						add(found[1])
					}
				}
				walk(entry)
			}
		}
	}
	walk(r.Properties[property])
	slices.Sort(ids)
	return slices.Compact(ids)
}

// condition is that of a resource as a text, "" for none.
func condition(r Resource, t Template) string {
	if r.Condition == "" {
		return ""
	}
	return compact(t.Conditions[r.Condition])
}
