"""Hundreds of files made to break decoders, through the running job: each has its outcome, and nothing else notices."""

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from darkroom.stack.processes import python_workers
from schemas.records import Outcome
from tests.hostile.attack import Accept, Attack
from tests.hostile.catalogue import ATTACKS
from tests.live_stack import PHOTOS, Scenario, Stack, event, eventually

pytestmark = pytest.mark.timeout(1200)

FILES = 500
SEED = 5
EVERY_S = 0.05
LARGE_BYTES = 4 * 1024 * 1024
USERS = 10
MEBIBYTE = 1024 * 1024
CHILD_BYTES = 1024 * MEBIBYTE  # DARKROOM_RENDER_MEMORY_BYTES is the limit; a picture at the limits takes about this
WORKER_BYTES = 768 * MEBIBYTE

PRESETS = """
version: 1
presets:
  - {name: dot, geometry: cover, width: 16, height: 16, format: jpeg, quality: 80}
  - {name: moving, width: 32, height: 32, format: webp, quality: 80, animation: keep}
sets:
  default: [dot, moving]
"""


def chosen() -> Iterator[tuple[Attack, bytes]]:
    """Yield the same files every time, of every family as evenly as there are files; of the large ones one each."""
    families: dict[str, list[Attack]] = defaultdict(list)
    for attack in ATTACKS:
        families[attack.family].append(attack)
    order, large, count = random.Random(SEED), set[str](), 0
    for family in families.values():
        order.shuffle(family)
    while count < FILES:
        for attack in [family.pop() for family in families.values() if family]:
            source = attack.make()
            if len(source) > LARGE_BYTES:
                if attack.family in large:
                    continue
                large.add(attack.family)
            count += 1
            yield attack, source


class Peaks:
    """The largest resident memory seen of workers and of rendering processes, in bytes."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._ended = threading.Event()
        self.worker = 0
        self.child = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _watch(self) -> None:
        workers = [psutil.Process(pid) for pid in python_workers(self._home)]
        while not self._ended.wait(EVERY_S):
            for worker in workers:
                self.worker = max(self.worker, resident(worker))
                for process in worker.children(recursive=True):
                    self.child = max(self.child, resident(process))


def resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


@pytest.fixture
def scenario(stack: Stack, tmp_path: Path) -> Iterator[Scenario]:
    presets = tmp_path / "presets.yaml"
    presets.write_text(PRESETS)
    running = Scenario(stack, DARKROOM_PRESETS_FILE=str(presets))
    yield running
    running.cancel()


def restarts(scenario: Scenario) -> int:
    metrics = f"/jobs/{scenario.job().job_id}/metrics?get=numRestarts"
    eventually(lambda: scenario.rest.get(metrics), "its restarts are told", lambda: metrics)
    return int(scenario.rest.get(metrics)[0]["value"])


def test_five_hundred_hostile_files_are_five_hundred_outcomes(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario.submit()
    home = scenario.stack.home.path
    with scenario.publisher() as publisher:
        photo = publisher.upload("first", "first", (PHOTOS / "rocket.jpg").read_bytes(), 1)
        first = event("first", photo)
        publisher.event(first)
        eventually(scenario.statuses, "the first status", scenario.statuses)
        workers = python_workers(home)
        peaks = Peaks(home)
        asked: dict[str, Attack] = {}
        with peaks.watched():
            for number, (attack, source) in enumerate(chosen()):
                user = f"user-{number % USERS}"
                one = event(attack.name, publisher.upload(user, str(number), source, 1), user_id=user)
                publisher.event(one)
                asked[one.event_id] = attack
            eventually(
                lambda: len(scenario.statuses()) > len(asked),
                f"{len(asked)} statuses",
                lambda: len(scenario.statuses()),
                limit_s=900,
                every_s=2,
            )
    assert len(asked) >= FILES
    assert {attack.family for attack in asked.values()} == {attack.family for attack in ATTACKS}
    told = {status.event_id: status for status in scenario.statuses()}
    assert Counter(status.event_id for status in scenario.statuses()) == Counter([first.event_id, *asked])
    for event_id, attack in asked.items():
        outcome = told[event_id].outcome
        assert outcome in (Outcome.READY, Outcome.PARTIAL, Outcome.REJECTED), (attack.name, told[event_id].failures)
        if attack.accept is Accept.REJECTED:
            assert outcome is Outcome.REJECTED, attack.name
    assert (python_workers(home), restarts(scenario)) == (workers, 0)

    figures = scenario.verify()
    assert (figures["lost"], figures["duplicated"], figures["orphaned"], figures["corrupt"]) == (0, 0, 0, 0)
    outcomes = Counter(told[event_id].outcome.value for event_id in asked)
    with capsys.disabled():
        print(
            f"\n{len(asked)} hostile files: {dict(outcomes)}; peak memory of a worker {peaks.worker // MEBIBYTE} MiB,"
            f" of a rendering process {peaks.child // MEBIBYTE} MiB"
        )
    assert peaks.worker < WORKER_BYTES
    assert peaks.child < CHILD_BYTES
