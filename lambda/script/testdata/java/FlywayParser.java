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
 * makes of the statement, texts in Base64; a bar ends each.
 */
public class FlywayParser {
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
                    if (n < 0 && ++ends > 100_000) {
                        throw new IOException("SPINS");
                    }
                    return n;
                }
            };
        }
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        String line;
        while ((line = in.readLine()) != null) {
            String sql = new String(Base64.getDecoder().decode(line), StandardCharsets.UTF_8);
            String[] result = {"SPINS"};
            Thread thread = new Thread(() -> result[0] = parse(sql));
            thread.setDaemon(true);
            thread.start();
            thread.join(4000);
            System.out.println(result[0]);
        }
        System.out.flush();
        Runtime.getRuntime().halt(0); // a parser that spins would keep it
    }

    static String parse(String sql) {
        StringBuilder out = new StringBuilder();
        try {
            SqlStatementIterator statements = parser().parse(new Script(sql));
            for (SqlStatement s = statements.next(); s != null; s = statements.next()) {
                out.append(s.canExecuteInTransaction() ? "in" : "out");
                if (s instanceof PostgreSQLCopyParsedStatement) {
                    Field data = PostgreSQLCopyParsedStatement.class.getDeclaredField("copyData");
                    data.setAccessible(true);
                    out.append(" copy ").append(base64(s.getSql())).append(' ').append(base64((String) data.get(s)));
                } else {
                    out.append(" sql");
                    for (var q : org.postgresql.core.Parser.parseJdbcSql(s.getSql(), true, false, true, false, true)) {
                        out.append(' ').append(base64(q.nativeSql));
                    }
                }
                out.append('|');
            }
            return out.toString();
        } catch (Throwable e) {
            while (e.getCause() != null) {
                e = e.getCause();
            }
            String message = String.valueOf(e.getMessage());
            if (message.equals("SPINS")) {
                return message;
            }
            return message.startsWith("Incomplete statement") ? out + "INCOMPLETE" : "ERROR " + base64(e.toString());
        }
    }

    /** The parser needs the database for its version alone. */
    static PostgreSQLParser parser() throws Exception {
        Field unsafe = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
        unsafe.setAccessible(true);
        Object database = ((sun.misc.Unsafe) unsafe.get(null)).allocateInstance(PostgreSQLDatabase.class);
        Field version = Database.class.getDeclaredField("version");
        version.setAccessible(true);
        version.set(database, MigrationVersion.fromVersion("17"));
        ParsingContext context = new ParsingContext();
        context.setDatabase((Database) database);
        ClassicConfiguration configuration = new ClassicConfiguration();
        configuration.setPlaceholderReplacement(false);
        return new PostgreSQLParser(configuration, context);
    }

    static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
