import java.io.*;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.configuration.ClassicConfiguration;
import org.flywaydb.core.internal.database.base.Database;
import org.flywaydb.core.internal.parser.ParsingContext;
import org.flywaydb.core.internal.resource.StringResource;
import org.flywaydb.core.internal.sqlscript.*;
import org.flywaydb.database.postgresql.*;

/**
 * Reads scripts from standard input, one a line in Base64, and prints for each
 * what Flyway's parser and PostgreSQL's driver would send: "in" or "out" of a
 * transaction, "copy" with statement and data or "sql" with what the driver
 * makes of the statement, "off" and the same without standard_conforming_strings,
 * texts in Base64; a bar ends each.
 */
public class FlywayParser {
    private static final String SPINS = "SPINS";

    /** More reads behind the end, or more tokens, than that and the parser does not end. */
    static int limit(String sql) {
        return 2_000 + 20 * sql.length();
    }

    /** A parser that fails when it reads tokens without end. */
    static class Counting extends PostgreSQLParser {
        private final int limit;
        private int tokens;

        Counting(ClassicConfiguration configuration, ParsingContext context, String sql) {
            super(configuration, context);
            limit = limit(sql);
        }

        @Override
        protected boolean isAlternativeStringLiteral(String peek) {
            if (++tokens > limit) {
                throw new IllegalStateException(SPINS);
            }
            return super.isAlternativeStringLiteral(peek);
        }
    }

    /** A script whose reader fails when it is read on and on behind its end. */
    static class Script extends StringResource {
        private final String sql;

        Script(String sql) {
            super(sql);
            this.sql = sql;
        }

        @Override
        public Reader read() {
            return new FilterReader(new StringReader(sql)) {
                private int ends;

                @Override
                public int read(char[] buffer, int offset, int length) throws IOException {
                    int n = super.read(buffer, offset, length);
                    if (n < 0 && ++ends > limit(sql)) {
                        throw new IllegalStateException(SPINS);
                    }
                    return n;
                }
            };
        }
    }

    public static void main(String[] arguments) throws Exception {
        prepare();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream out = new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16));
        String line;
        while ((line = in.readLine()) != null) {
            out.println(parse(new String(Base64.getDecoder().decode(line), StandardCharsets.UTF_8)));
        }
        out.flush();
    }

    static String parse(String sql) {
        StringBuilder out = new StringBuilder();
        try {
            SqlStatementIterator statements = new Counting(CONFIGURATION, CONTEXT, sql).parse(new Script(sql));
            for (SqlStatement s = statements.next(); s != null; s = statements.next()) {
                out.append(s.canExecuteInTransaction() ? "in" : "out");
                if (s instanceof PostgreSQLCopyParsedStatement) {
                    Field data = PostgreSQLCopyParsedStatement.class.getDeclaredField("copyData");
                    data.setAccessible(true);
                    out.append(" copy ").append(base64(s.getSql())).append(' ').append(base64((String) data.get(s)));
                } else {
                    out.append(" sql");
                    cut(out, s.getSql(), true);
                    out.append(" off");
                    cut(out, s.getSql(), false);
                }
                out.append('|');
            }
            return out.toString();
        } catch (Throwable e) {
            while (e.getCause() != null) {
                e = e.getCause();
            }
            String message = String.valueOf(e.getMessage());
            if (message.equals(SPINS)) {
                return message;
            }
            return message.startsWith("Incomplete statement") ? out + "INCOMPLETE" : "ERROR " + base64(e.toString());
        }
    }

    /** A configuration and the database, which the parser needs for its version alone. */
    private static final ClassicConfiguration CONFIGURATION = new ClassicConfiguration();
    private static final ParsingContext CONTEXT = new ParsingContext();

    static void prepare() throws Exception {
        Field unsafe = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
        unsafe.setAccessible(true);
        Object database = ((sun.misc.Unsafe) unsafe.get(null)).allocateInstance(PostgreSQLDatabase.class);
        Field version = Database.class.getDeclaredField("version");
        version.setAccessible(true);
        version.set(database, MigrationVersion.fromVersion("17"));
        CONTEXT.setDatabase((Database) database);
        CONFIGURATION.setPlaceholderReplacement(false);
    }

    /** How the driver cuts a statement; strict: standard_conforming_strings is on. */
    static void cut(StringBuilder out, String sql, boolean strict) throws Exception {
        for (var q : org.postgresql.core.Parser.parseJdbcSql(sql, strict, false, true, false, true)) {
            out.append(' ').append(base64(q.nativeSql));
        }
    }

    static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
