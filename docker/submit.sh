#!/bin/sh
# Submits the job unless one runs: from DARKROOM_FROM (a savepoint or checkpoint), else from the newest one in the store.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
python=$(command -v python)

running=$("$FLINK_HOME/bin/flink" list --running)
case $running in
*\(RUNNING\)* | *\(RESTARTING\)*)
    echo "The job runs already; cancel it first to submit it anew."
    exit 0
    ;;
esac

from=${DARKROOM_FROM:-$("$python" "$here/newest_state.py")}
if [ -n "$from" ]; then echo "Submitting from $from."; else echo "Submitting from nothing: the store has no state."; fi
exec "$FLINK_HOME/bin/flink" run --detached ${from:+--fromSavepoint "$from"} \
    -pyexec "$python" -pyclientexec "$python" -py "$here/../jobs/derivatives.py"
