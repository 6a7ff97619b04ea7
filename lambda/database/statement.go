package database

import "strings"

// A statement of another session may hold passwords and customers' data, and
// so may its comments and its names. What is shown of one is therefore made of
// words of these lists alone, and its tables are told by its locks.
var (
	firstWords = words(`ABORT ALTER ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE
		DEALLOCATE DECLARE DELETE DISCARD DO DROP END EXECUTE EXPLAIN FETCH GRANT IMPORT INSERT LISTEN LOAD LOCK
		MERGE MOVE NOTIFY PREPARE REASSIGN REFRESH REINDEX RELEASE RESET REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW START TABLE TRUNCATE UNLISTEN UPDATE VACUUM VALUES WITH`)
	nextWords = words(`AGGREGATE ANALYZE CONCURRENTLY CONFIGURATION CONSTRAINTS CONVERSION COLLATION DATABASE DEFAULT
		DOMAIN EVENT EXTENSION FOREIGN FROM FULL FUNCTION GLOBAL GROUP INDEX INTO LANGUAGE LOCAL MATERIALIZED OPERATOR
		OR OWNED POLICY PREPARED PRIVILEGES PROCEDURE PUBLICATION REPLACE ROLE ROUTINE RULE SCHEMA SEQUENCE SERVER
		SESSION STATISTICS SUBSCRIPTION SYSTEM TABLE TABLESPACE TEMP TEMPORARY TRANSACTION TRIGGER TYPE UNIQUE UNLOGGED
		USER VERBOSE VIEW WRAPPER`)
)

// maxWords is how many words of a statement tell its kind.
const maxWords = 5

func words(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

// kindOf is the kind of a statement, such as "ALTER TABLE", as its first words
// tell it; "a statement" where they do not. The text may be cut off anywhere.
func kindOf(sql string) string {
	var kind []string
	known := firstWords
	for rest := skipBlank(sql); len(kind) < maxWords; rest = skipBlank(rest) {
		end := 0
		for end < len(rest) && isLetter(rest[end]) {
			end++
		}
		word := strings.ToUpper(rest[:end])
		// A word that was cut off, or goes on, is another one.
		if !known[word] || end < len(rest) && isNamePart(rest[end]) {
			break
		}
		kind = append(kind, word)
		known, rest = nextWords, rest[end:]
	}
	switch {
	case len(kind) > 0:
		return strings.Join(kind, " ")
	case strings.HasPrefix(sql, "autovacuum:"):
		return "autovacuum"
	case sql == "<insufficient privilege>":
		return "a statement that this role may not see"
	}
	return "a statement"
}

// skipBlank passes over what can stand before a statement's first word, and
// between its words: space, comments, which nest, parentheses and empty statements.
func skipBlank(sql string) string {
	for {
		sql = strings.TrimLeft(sql, " \t\r\n\f\v(;")
		switch {
		case strings.HasPrefix(sql, "--"):
			end := strings.IndexAny(sql, "\r\n")
			if end < 0 {
				return ""
			}
			sql = sql[end:]
		case strings.HasPrefix(sql, "/*"):
			sql = afterComment(sql)
		default:
			return sql
		}
	}
}

func afterComment(sql string) string {
	depth := 0
	for i := 0; i+1 < len(sql); i++ {
		switch sql[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
		}
		if depth == 0 {
			return sql[i+1:]
		}
	}
	return ""
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isNamePart(c byte) bool {
	return isLetter(c) || c >= 0x80 || c == '_' || c == '$' || '0' <= c && c <= '9' || c == '.'
}
