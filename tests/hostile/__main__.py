"""Runs hostile files and prints what came of them: `python -m tests.hostile [--write FOLDER] [PART OF A NAME …]`."""

import argparse
import sys
from pathlib import Path

from tests.hostile.attack import Attack
from tests.hostile.catalogue import ATTACKS
from tests.hostile.judge import Verdict, fault
from tests.hostile.runner import judge_all, summary


def main() -> int:
    """Judge the named files, or all of them; the exit status is 1 when one is not acceptable."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.hostile", description="Render hostile files within a budget."
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="part of a name, such as jpeg/ or bomb; default: all")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write the files there instead of rendering them")
    parser.add_argument("-v", action="store_true", help="a line for each file")
    options = parser.parse_args()
    chosen = [a for a in ATTACKS if not options.parts or any(part in a.name for part in options.parts)]
    if not chosen:
        parser.error(f"no file's name contains {' or '.join(options.parts)}")
    if options.write:
        return write(chosen, options.write)

    def tell(attack: Attack, verdict: Verdict) -> None:
        if options.v or fault(attack, verdict):
            mark = "FAULT" if fault(attack, verdict) else "ok"
            size = f"{verdict.source_bytes} bytes, {verdict.cpu_seconds:.2f} s, {verdict.peak_mebibytes:.0f} MiB"
            print(f"{mark:5} {attack.name}: {verdict.came} {verdict.detail} ({size})", flush=True)

    verdicts = judge_all(chosen, tell)
    print(summary(verdicts))
    return int(any(fault(attack, verdict) for attack, verdict in verdicts))


def write(attacks: list[Attack], folder: Path) -> int:
    """Write each file under its name, slashes as dashes."""
    folder.mkdir(parents=True, exist_ok=True)
    for attack in attacks:
        (folder / attack.name.replace("/", "-")).write_bytes(attack.make())
    return 0


if __name__ == "__main__":
    sys.exit(main())
