"""The start of the TaskManager: first ends what an earlier one left behind, then becomes Flink's own start script.

`kill -9` of a TaskManager leaves its Python workers alive and holding hundreds of megabytes. Supervisor starts this
module again right after such a death, so they are gone before new ones start. It also leaves its temporary files: jars
of every job it ever ran, 40 MB each, which its successor would hash twice before it offers a slot.
Arguments: the stack's home, and the command to become.
"""

import os
import shutil
import sys
from pathlib import Path

from darkroom.stack.layout import Home
from darkroom.stack.processes import end_processes, marked_processes

GRACE_SECONDS = 0.5  # an orphaned worker has nothing left to finish: its results can no longer be delivered


def main(home: str, *command: str) -> None:
    """End the leftovers of the earlier TaskManager and become `command`."""
    leftovers = [process for process in marked_processes(Path(home), "taskmanager") if process.pid != os.getpid()]
    survivors = end_processes(leftovers, GRACE_SECONDS)
    if leftovers:
        print(f"ended {len(leftovers) - len(survivors)} of {len(leftovers)} leftover processes", flush=True)
    temporary = Home(Path(home)).taskmanager_tmp
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True, exist_ok=True)  # a process that cannot be ended may still write there
    os.execv(command[0], command)  # noqa: S606 - the command that the stack's own configuration names


if __name__ == "__main__":
    main(*sys.argv[1:])
