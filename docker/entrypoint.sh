#!/bin/sh
# Writes the effective Flink configuration (the application's, then what FLINK_PROPERTIES says of this place) and becomes
# the part that is asked for: jobmanager, taskmanager, submit, or any other command.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

rm -rf "$FLINK_CONF_DIR"
cp -R "$here/../flink-conf" "$FLINK_CONF_DIR"
printf '\n%s\n' "${FLINK_PROPERTIES:-}" >>"$FLINK_CONF_DIR/config.yaml"

case "${1:-}" in
jobmanager | taskmanager) exec "$FLINK_HOME/bin/$1.sh" start-foreground ;;
submit) exec /bin/sh "$here/submit.sh" ;;
*) exec "$@" ;;
esac
