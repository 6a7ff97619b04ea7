package check

import (
	"io"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
)

// WriteSARIF prints the result as SARIF 2.1.0, with paths from the
// repository's root. Waived findings are suppressed results.
func (r *Result) WriteSARIF(w io.Writer) error {
	names := map[string]bool{}
	for _, f := range r.Findings {
		names[f.Rule] = true
	}
	rules := []sarifRule{}
	index := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		index[name] = len(rules)
		rules = append(rules, newSarifRule(name))
	}
	results := []sarifResult{}
	for _, f := range r.Findings {
		results = append(results, newSarifResult(f, index[f.Rule], r.Prefix))
	}
	return writeJSON(w, sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{
			Tool:       sarifTool{sarifDriver{Name: "slipway check", Language: "en-US", Rules: rules}},
			Results:    results,
			Language:   "en-US",
			ColumnKind: "unicodeCodePoints",
		}},
	})
}

type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		Results    []sarifResult `json:"results"`
		Language   string        `json:"language"`
		ColumnKind string        `json:"columnKind"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name     string      `json:"name"`
		Language string      `json:"language"`
		Rules    []sarifRule `json:"rules"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID      string     `json:"id"`
		Short   *sarifText `json:"shortDescription,omitempty"`
		HelpURI string     `json:"helpUri,omitempty"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

func newSarifRule(name string) sarifRule {
	if text, ok := Rules[name]; ok {
		return sarifRule{ID: name, Short: &sarifText{text}}
	}
	return sarifRule{ID: name, HelpURI: RuleURL(name)}
}

var ruleName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// RuleURL is squawk's page about a rule of its own, "" for one of this package.
func RuleURL(rule string) string {
	if _, ours := Rules[rule]; ours || rule == "syntax-error" || !ruleName.MatchString(rule) {
		return ""
	}
	return "https://squawkhq.com/docs/" + rule
}

func newSarifResult(f Finding, rule int, prefix string) sarifResult {
	message := f.Message
	if f.Help != "" {
		message += " " + f.Help
	}
	uri := url.URL{Path: path.Join(prefix, f.Script)}
	if f.File != "" {
		uri.Path = f.File
	}
	result := sarifResult{
		RuleID: f.Rule, RuleIndex: rule, Level: string(f.Level), Message: sarifText{message},
		Locations: []sarifLocation{{sarifPhysical{Artifact: sarifArtifact{uri.EscapedPath()}}}},
	}
	if f.Line > 0 {
		result.Locations[0].Physical.Region = &sarifRegion{f.Line}
	}
	if f.Waived != "" {
		result.Suppressions = []sarifSuppression{{"inSource", f.Waived}}
	}
	return result
}
