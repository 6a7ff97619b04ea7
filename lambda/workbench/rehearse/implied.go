package rehearse

import (
	"regexp"
	"strings"

	"slipway/lambda/sqltext"
)

const relation = `((?:"[^"]+"|[\w\x80-\xff]+)(?:\.(?:"[^"]+"|[\w\x80-\xff]+))?)`

var (
	indexesConcurrently = regexp.MustCompile(
		`(?is)^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\b.*?\bON\s+(?:ONLY\s+)?` + relation)
	reindexes = regexp.MustCompile(`(?is)^REINDEX\s+(?:\([^)]*\)\s*)?TABLE\s+CONCURRENTLY\s+` + relation)
	vacuums   = regexp.MustCompile(`(?is)^VACUUM\s+(?:\([^)]*\)\s*|FREEZE\s+|VERBOSE\s+|ANALYZE\s+)*` + relation)
)

// implied are the tables that statements outside a transaction are known to
// lock with ShareUpdateExclusiveLock, for when they were too quick to be seen.
func implied(sql string) (tables []string) {
	for _, s := range sqltext.Split(sql) {
		for _, form := range []*regexp.Regexp{indexesConcurrently, reindexes, vacuums} {
			m := form.FindStringSubmatch(sql[s.Start:s.End])
			if m == nil {
				continue
			}
			name := m[1]
			if strings.Contains(name, `"`) {
				name = strings.ReplaceAll(name, `"`, "")
			} else {
				name = strings.ToLower(name)
			}
			tables = append(tables, withoutPublic(name))
		}
	}
	return tables
}
