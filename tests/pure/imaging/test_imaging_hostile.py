"""Files made to hurt (tests/hostile): each ends in a typed rejection or a correct picture, within its budget.

Each is rendered in a process of its own, so that a decoder that crashes is a line of this test and not its end.
"""

import faulthandler
import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys

import pytest

from tests.hostile import judge as judging
from tests.hostile import runner
from tests.hostile.attack import Accept, Attack
from tests.hostile.catalogue import ATTACKS
from tests.hostile.good import GOOD
from tests.hostile.judge import CPU_SECONDS, MEMORY_BYTES, Came, Verdict, fault
from tests.hostile.runner import judge_all, judge_apart, summary
from udfs.imaging.errors import CorruptImage
from udfs.imaging.signatures import ALLOWED

FEWEST = 500


@pytest.mark.timeout(600)
def test_no_hostile_file_crashes_hangs_or_swallows_the_memory():
    verdicts = judge_all(ATTACKS)
    print(summary(verdicts))
    faults = [line for attack, verdict in verdicts if (line := fault(attack, verdict))]
    assert not faults, f"{len(faults)} of {len(verdicts)} files:\n" + "\n".join(faults)


def test_there_are_enough_files_and_each_has_a_name_of_its_own():
    assert len(ATTACKS) >= FEWEST
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


def test_every_format_that_is_read_has_a_good_file_to_damage():
    assert {name for name, _ in ALLOWED} <= {name.split("-")[0] for name in GOOD}


def test_files_are_the_same_in_every_process():
    """Two processes with different hash seeds make the same bytes of a sample of every family."""
    program = (
        "import hashlib; from tests.hostile.catalogue import ATTACKS\n"
        "print(hashlib.sha256(b''.join(a.make() for a in ATTACKS[::29])).hexdigest())"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert made == {hashlib.sha256(b"".join(attack.make() for attack in ATTACKS[::29])).hexdigest() + "\n"}


A_FILE = Attack("any/file", "any", bytes)
MUST_REJECT = Attack("any/file", "any", bytes, Accept.REJECTED, frozenset({"TOO_MANY_PIXELS"}))
MUST_SHOW = Attack("any/file", "any", bytes, Accept.PICTURE)


@pytest.mark.parametrize(
    ("attack", "verdict", "acceptable"),
    [
        (A_FILE, Verdict(Came.PICTURE), True),
        (A_FILE, Verdict(Came.PICTURE, "RENDER_FAILED"), True),
        (A_FILE, Verdict(Came.REJECTED, "CORRUPT_IMAGE"), True),
        (A_FILE, Verdict(Came.UNTYPED, "KeyError"), False),
        (A_FILE, Verdict(Came.WRONG, "9x9"), False),
        (A_FILE, Verdict(Came.CRASH, "SIGSEGV"), False),
        (A_FILE, Verdict(Came.TIME), False),
        (A_FILE, Verdict(Came.MEMORY), False),
        (MUST_REJECT, Verdict(Came.REJECTED, "TOO_MANY_PIXELS"), True),
        (MUST_REJECT, Verdict(Came.REJECTED, "CORRUPT_IMAGE"), False),
        (MUST_REJECT, Verdict(Came.PICTURE), False),
        (MUST_SHOW, Verdict(Came.PICTURE), True),
        (MUST_SHOW, Verdict(Came.PICTURE, "RENDER_FAILED"), False),
        (MUST_SHOW, Verdict(Came.REJECTED, "CORRUPT_IMAGE"), False),
    ],
)
def test_what_is_acceptable(attack, verdict, acceptable):
    assert (fault(attack, verdict) == "") is acceptable


def die(how):
    faulthandler.disable()  # which pytest has switched on in the process that is forked
    os.kill(os.getpid(), how)


@pytest.mark.parametrize(
    ("make", "came"),
    [
        (lambda: die(signal.SIGSEGV), Came.CRASH),
        (lambda: die(signal.SIGXCPU), Came.TIME),
        (lambda: os._exit(3), Came.CRASH),
    ],
)
def test_a_process_that_ends_is_a_verdict(monkeypatch, make, came):
    """The server that forks has the catalogue; the attacks here are put in by forking from this process instead."""
    monkeypatch.setattr(runner, "PROCESSES", multiprocessing.get_context("fork"))
    monkeypatch.setattr(runner, "by_name", lambda name: Attack(name, "any", make))
    assert [verdict.came for _, verdict in judge_apart([A_FILE])] == [came]


@pytest.mark.parametrize(
    ("core", "came"),
    [
        ("raise KeyError('x')", Came.UNTYPED),
        ("bytearray(5 << 30)", Came.MEMORY),
        (f"b'x' * {MEMORY_BYTES + (20 << 20)}; raise CorruptImage", Came.MEMORY),
        ("while True: pass", Came.TIME),
    ],
)
def test_a_core_that_misbehaves_is_a_verdict(monkeypatch, core, came):
    monkeypatch.setattr(runner, "PROCESSES", multiprocessing.get_context("fork"))
    if came is Came.TIME:  # filling a gigabyte can take more than a second of CPU on a busy machine
        monkeypatch.setattr(judging, "CPU_SECONDS", 1)
    monkeypatch.setattr(judging, "render", lambda *_: exec(core, {"CorruptImage": CorruptImage}))
    monkeypatch.setattr(runner, "by_name", lambda name: Attack(name, "any", lambda: b"x"))
    assert [verdict.came for _, verdict in judge_apart([A_FILE])] == [came]


def test_budgets_are_those_that_the_documents_state():
    assert (CPU_SECONDS, MEMORY_BYTES) == (20, 1024**3)
