"""The controls: the same load and the same oracle, with one guarantee taken out of the job, have to end in red.

`python -m tests.chaos.controls` starts a stack of its own, runs them and prints what the oracle found.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from darkroom.flink import pack_job, run, run_command
from darkroom.stack.processes import python_workers
from darkroom.target import job_environment
from tests.chaos.journal import Journal
from tests.chaos.load import Load
from tests.chaos.model import PRESETS_FILE
from tests.chaos.oracle import judge, wait_until_settled
from tests.chaos.verdict import Kind, Verdict
from tests.live_stack import NEVER, Scenario, Stack, eventually, own_stack

SEED = 13
EVENTS = 80
RATE_PER_S = 60.0
USERS = 12
HOT_USERS = 2
PUBLISHED_BEFORE_KILL = 27
BEFORE_KILL = 10
SETTLED_WITHIN_S = 240.0
SABOTAGE = Path(__file__).with_name("sabotage.py")
SETTINGS = {"DARKROOM_PRESETS_FILE": str(PRESETS_FILE), "DARKROOM_SOURCE_WAIT_S": "2"}


@dataclass(frozen=True, slots=True)
class Control:
    """One run of the load: on which job, and what the oracle has to find; nothing, if `red` is None."""

    name: str
    red: Kind | None
    sabotage: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    kill_worker: bool = False


CONTROLS = (
    Control("the job as it is", None),
    Control("at-least-once sink", Kind.DUPLICATED, settings={"DARKROOM_DELIVERY": "at-least-once"}, kill_worker=True),
    Control("dedupe off", Kind.DUPLICATED, sabotage="dedupe"),
    Control("ordering off", Kind.OUT_OF_ORDER, sabotage="ordering"),
    Control("checksum off", Kind.CORRUPT, sabotage="checksum"),
)


def run_control(stack: Stack, control: Control, journal_path: Path, seed: int = SEED) -> Verdict:
    """Run one control in topics and a bucket of its own, and return what the oracle says."""
    scenario = Scenario(stack, **SETTINGS, **control.settings)
    journal = Journal(journal_path)
    load = Load(scenario.target, journal, seed, RATE_PER_S, USERS, HOT_USERS, EVENTS)
    try:
        load.start()
        if control.kill_worker:
            _pause(load)
        _submit(scenario, control)
        if control.kill_worker:
            _kill_worker(scenario, load)
        load.wait()
        settlement = wait_until_settled(scenario.target, journal, SETTLED_WITHIN_S)
        assert settlement.settled, settlement
        return judge(scenario.target, journal)
    finally:
        scenario.cancel()
        journal.close()


def _submit(scenario: Scenario, control: Control) -> None:
    if control.sabotage is None:
        scenario.submit(interval=NEVER if control.kill_worker else "1s")
        return
    target = scenario.target
    options = {
        "execution.checkpointing.interval": "1s",
        "execution.checkpointing.dir": scenario.checkpoints,
    }
    archive = pack_job(scenario.stack.home.run)
    command = run_command(target, archive, parallelism=1, restore_from=None, options=options)
    settings = {name: value for name, value in scenario.environment.items() if name.startswith("DARKROOM_")}
    conf = {"FLINK_CONF_DIR": str(target.flink_conf_dir)}
    run([*command[:-1], str(SABOTAGE), control.sabotage], {**settings, **conf, **job_environment(target)})


def _pause(load: Load) -> None:
    """Leave most of the load for after the kill: of an idle worker, Flink does not notice the end."""
    wanted, what = PUBLISHED_BEFORE_KILL, f"{PUBLISHED_BEFORE_KILL} records are published"
    eventually(lambda: load.published >= wanted, what, lambda: load.published, every_s=0.01)
    load.pause()


def _kill_worker(scenario: Scenario, load: Load) -> None:
    """Kill a Python worker when statuses are out that no checkpoint knows of; wait until the job told some again."""

    def statuses() -> int:
        return len(scenario.statuses())

    def told_again() -> int:
        told = [(status.user_id, status.event_id) for status in scenario.statuses()]
        return len(told) - len(set(told))

    eventually(lambda: statuses() >= BEFORE_KILL, f"{BEFORE_KILL} statuses are visible", statuses)
    os.kill(python_workers(scenario.stack.home.path)[0], signal.SIGKILL)
    load.resume()
    eventually(told_again, "an event has a second status", statuses)


def main() -> int:
    """Run every control; 1 when one of them did not end as it should."""
    failed = False
    with tempfile.TemporaryDirectory(prefix="darkroom-controls-") as folder, own_stack(Path(folder) / "home") as stack:
        for control in CONTROLS:
            verdict = run_control(stack, control, Path(folder) / f"{control.name.replace(' ', '-')}.jsonl")
            failed |= not as_it_should(control, verdict)
            print(_row(control, verdict), flush=True)
    return int(failed)


def as_it_should(control: Control, verdict: Verdict) -> bool:
    """Return whether the oracle found what it had to find, or nothing where there was nothing to find."""
    return verdict.ok if control.red is None else verdict.count(control.red) > 0


def _row(control: Control, verdict: Verdict) -> str:
    found = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in verdict.broken().items()) or "nothing"
    colour = "green" if verdict.ok else "red"
    judged = "as it should be" if as_it_should(control, verdict) else "WRONG"
    return f"{control.name:20} {colour:6} {judged:16} {verdict.records} records; found: {found}"


if __name__ == "__main__":
    sys.exit(main())
