"""Lets the job and the bare loop do the same events in turn, on one stack, with one set of presets."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bare_loop import BareLoop
from load import Load, user_of
from processes import Meter, Usage
from stored import middle, middle_rate, take_stored
from throughput_report import Round, Run

from darkroom.console import Counter
from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest
from darkroom.target import Target

LIMIT_SECONDS = 1200.0
LOOK_SECONDS = 2.0


@dataclass(slots=True)
class Contest:
    """Both sides, ready to work, and what is seen of the job's checkpoints."""

    target: Target
    home: Path
    job_id: str
    load: Load
    bare: BareLoop
    derivatives: int
    counter: Counter
    checkpoint_s: list[float] = field(default_factory=list)  # of those that were triggered while the job had work
    runs: int = 0
    _seen: dict[int, tuple[float, float]] = field(default_factory=dict)  # when triggered, in epoch s, and seconds taken

    def rounds(self, count: int, events: int) -> list[Round]:
        """Return that many rounds; who begins changes."""
        found = []
        for number in range(count):
            if number % 2:
                bare, job = self.run_bare(events), self.run_job(events)
            else:
                job, bare = self.run_job(events), self.run_bare(events)
            found.append(Round(job, bare, job.events_per_s / bare.events_per_s))
        return found

    def run_bare(self, events: int) -> Run:
        """Return what the bare loop did."""
        self._say("bare loop", events)
        meter, began = Meter(self.home), time.monotonic()
        self.bare.run(f"bare-{self.runs}", events)
        whole = time.monotonic() - began
        return self._run(meter.usage(), whole, take_stored(self.target, events, self.derivatives))

    def run_job(self, events: int) -> Run:
        """Return what the job did with a backlog of events."""
        self._say("job", events)
        meter, began, began_at = Meter(self.home), time.monotonic(), time.time()
        ids = self.load.send_at([0.0] * events, user_of)
        self._wait_for(ids, meter)
        whole = time.monotonic() - began
        usage = meter.usage()
        moments = take_stored(self.target, events, self.derivatives)
        self._keep_checkpoints(began_at, moments[-1])
        return self._run(usage, whole, moments)

    def _run(self, usage: Usage, whole_s: float, moments: Sequence[float]) -> Run:
        rate, (since, until) = middle_rate(moments), middle(moments)
        events = rate * (until - since)
        cpu_ms = {part: seconds * 1000 / events for part, seconds in usage.cpu_s(since, until).items()}
        return Run(rate, usage.idle_share(since, until), cpu_ms, whole_s, usage)

    def _wait_for(self, ids: Sequence[str], meter: Meter) -> None:
        limit = time.monotonic() + LIMIT_SECONDS
        while any(one not in self.load.seen_at for one in ids):
            self.load.check()
            if time.monotonic() > limit:
                message = f"not every one of {len(ids)} events has a status after {LIMIT_SECONDS:.0f} s"
                raise OperatorError(message)
            meter.look()
            self._note_checkpoints()
            time.sleep(LOOK_SECONDS)

    def _note_checkpoints(self) -> None:
        for one in FlinkRest(self.target).get(f"/jobs/{self.job_id}/checkpoints")["history"]:
            if one["status"] == "COMPLETED":
                found = one["trigger_timestamp"] / 1000, one["end_to_end_duration"] / 1000
                self._seen.setdefault(one["id"], found)

    def _keep_checkpoints(self, since: float, until: float) -> None:
        self.checkpoint_s += [seconds for at, seconds in self._seen.values() if since <= at <= until]
        self._seen.clear()

    def _say(self, side: str, events: int) -> None:
        self.runs += 1
        self.counter.describe(f"{side}: {events} events")
