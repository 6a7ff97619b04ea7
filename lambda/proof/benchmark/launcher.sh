#!/bin/bash
# Starts Flyway as the launcher of its distribution does: bash that waits for java, the class path a folder of jars.
# Here that holds the eleven jars that PostgreSQL needs; the distribution's has many more and starts slower.
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
cd "$here"
"$JAVA" ${JAVA_ARGS:-} -cp "$FLYWAY_LIB/*" org.flywaydb.commandline.Main "$@"
exit $?
