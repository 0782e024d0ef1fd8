#!/bin/sh
# Submits the job with `darkroom submit`, which prints its `flink run` command and resumes from the newest state in the
# store; does nothing when the job runs already, so that `docker compose up` can be repeated.
set -eu

jobs=$("$FLINK_HOME/bin/flink" list)
case $jobs in
*"darkroom: image derivatives"*)
    echo "The job runs already."
    exit 0
    ;;
esac
exec darkroom submit
