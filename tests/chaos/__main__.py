"""Breaks the job while it works, and judges what came of it: `python -m tests.chaos --seed N --minutes M`."""

import argparse
import shlex
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.experiment import Experiment, perform
from tests.chaos.kinds import FAMILIES, KINDS, chosen
from tests.chaos.record import Judged, Met, Run, machine
from tests.chaos.report import by_kind, summary, text_table
from tests.chaos.schedule import endless, exactly
from tests.chaos.stage import Stage

FOR_EVER_S = 24 * 3600.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run once; the exit status is 0 when every fault was seen and recovered from and the oracle found nothing."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = parsed(given)
    kinds = chosen(options.only, options.without)
    shares = {name: kind.share for name, kind in kinds.items()}
    plan = exactly(options.seed, shares, options.faults) if options.faults else endless(options.seed, shares)
    limit_s = FOR_EVER_S if options.faults else options.minutes * 60
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: nothing is left behind
    folder = Path(tempfile.mkdtemp(prefix="darkroom-chaos-"))
    begun, started_at = time.monotonic(), f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    met: list[Met] = []
    judged: Judged | None = None
    problem = None
    try:
        experiment = Experiment(options.seed, plan, kinds, limit_s, options.rate)
        judged = perform(experiment, Stage(folder), met, tell)
    except Exception as error:
        problem = "".join(traceback.format_exception(error))
    run = Run(
        seed=options.seed,
        command=shlex.join(["python", "-m", "tests.chaos", *given]),
        started_at=started_at,
        duration_s=time.monotonic() - begun,
        machine=machine(),
        kinds=tuple(kinds),
        faults=tuple(met),
        judged=judged,
        problem=problem,
    )
    options.json.write_text(run.model_dump_json(indent=1) + "\n")
    conclude(run, folder, options.json)
    return 0 if run.ok else 1


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; a wrong one ends the program with a sentence."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides load and faults (default: 1)")
    parser.add_argument("--minutes", type=float, default=20, help="how long faults are injected (default: 20)")
    parser.add_argument("--faults", type=int, help="how many faults, instead of minutes")
    parser.add_argument("--rate", type=float, default=4, help="records published per second (default: 4)")
    families = ", ".join(FAMILIES)
    parser.add_argument("--only", type=_words, default=[], help=f"parts of names, by commas; families: {families}")
    parser.add_argument("--without", type=_words, default=[], help="parts of names to leave out, such as disk-full")
    parser.add_argument("--json", type=Path, help="where the result goes (default: chaos-SEED.json)")
    parser.add_argument("--list", action="store_true", help="print the kinds of faults and end")
    options = parser.parse_args(arguments)
    if options.list:
        parser.exit(0, "".join(f"{kind.share}  {kind.name}\n" for kind in KINDS))
    if not chosen(options.only, options.without):
        parser.error("no kind of fault is left; see --list")
    options.json = options.json or Path(f"chaos-{options.seed}.json")
    return options


def conclude(run: Run, folder: Path, json: Path) -> None:
    """Print what came of the run; of a red one, keep the logs."""
    for line in text_table(by_kind([run])):
        tell(line)
    for finding in run.judged.findings if run.judged else ():
        tell(finding)
    for problem in [run.problem, *(f"#{fault.number} {fault.kind}: {fault.problem}" for fault in run.faults)]:
        if problem and not problem.endswith(": None"):
            tell(problem)
    tell(summary([run]))
    tell(f"{json}: {'green' if run.ok else f'RED; logs, journal and configuration are kept in {folder}'}")
    if run.ok:
        shutil.rmtree(folder)


def tell(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


if __name__ == "__main__":
    sys.exit(main())
