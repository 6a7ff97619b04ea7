import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.*;
import org.flywaydb.core.api.output.*;

/**
 * Asks Flyway through its core's API, without its command line: of a newer
 * Flyway no more than the core can be had everywhere. A request on standard
 * input is settings, one a line, as name, tab and value in Base64, and then a
 * line with a bar and the commands. For each command there is a line: the states
 * of info, what validate finds, how many scripts migrate dealt with, what was
 * taken of user, password and placeholders, or ERROR with the innermost cause.
 * Texts are in Base64.
 */
public class FlywayCore {
    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
        System.setOut(System.err); // what Flyway logs
        Map<String, String> settings = new HashMap<>();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (!line.startsWith("|")) {
                String[] pair = line.split("\t", 2);
                settings.put(pair[0], new String(Base64.getDecoder().decode(pair[1]), StandardCharsets.UTF_8));
                continue;
            }
            for (String command : line.substring(1).split(" ")) {
                String result;
                try {
                    result = answer(Flyway.configure().configuration(settings).load(), command);
                } catch (Throwable e) {
                    while (e.getCause() != null) {
                        e = e.getCause();
                    }
                    result = "ERROR " + e.getMessage();
                }
                out.println(Base64.getEncoder().encodeToString(result.getBytes(StandardCharsets.UTF_8)));
            }
            settings.clear();
        }
    }

    static String answer(Flyway flyway, String command) {
        StringBuilder out = new StringBuilder();
        switch (command) {
            case "info":
                for (MigrationInfo m : flyway.info().all()) {
                    out.append(name(m.getVersion() == null ? "" : m.getVersion().toString(), m.getDescription()));
                    out.append(' ').append(m.getState().getDisplayName()).append('\n');
                }
                return out.toString();
            case "validate":
                ValidateResult result = flyway.validateWithResult();
                for (ValidateOutput o : result.invalidMigrations) {
                    out.append(name(o.version, o.description)).append('\t').append(o.errorDetails.errorMessage.replace('\n', ' ')).append('\n');
                }
                return result.validationSuccessful + "\n" + out;
            case "migrate":
                return "" + flyway.migrate().migrationsExecuted;
            default:
                var c = flyway.getConfiguration();
                return c.getUser() + "\n" + c.getPassword() + "\n" + new TreeMap<>(c.getPlaceholders());
        }
    }

    static String name(String version, String description) {
        return version == null || version.isEmpty() ? "R " + description : version;
    }
}
