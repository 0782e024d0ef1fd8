"""Looks at every part of a stack: what supervisord says of its process and what the part itself answers."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from darkroom.stack.broker import broker_problem
from darkroom.stack.cluster import jobmanager_problem, taskmanager_problem
from darkroom.stack.coordination import coordination_problem, quorum
from darkroom.stack.layout import Home
from darkroom.stack.processes import python_workers
from darkroom.stack.proxy import proxy_problem
from darkroom.stack.record import PartName, StackRecord
from darkroom.stack.store import store_problem
from darkroom.stack.supervision import ProgramState, program_states

PARTS: tuple[PartName, ...] = ("minio", "kafka", "zookeeper", "toxiproxy", "jobmanager", "taskmanager")
OPTIONAL: tuple[PartName, ...] = ("zookeeper", "toxiproxy")
NOT_RUNNING = ProgramState("NOT RUNNING", None, None)


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One row of `darkroom ps`."""

    part: str
    state: str  # supervisord's word in lower case, or "external"
    pid: int | None
    address: str
    uptime_seconds: int | None
    problem: str | None  # None: healthy

    @property
    def healthy(self) -> bool:
        """Tell whether the part does its work."""
        return self.problem is None

    def as_json(self) -> dict[str, object]:
        """Return the row for a script."""
        return {**asdict(self), "healthy": self.healthy}


def inspect_stack(record: StackRecord, home: Home) -> list[PartStatus]:
    """Return the status of every part, asked now."""
    states = program_states(home)
    return [inspect_part(part, record, states) for part in parts_of(record)]


def parts_of(record: StackRecord) -> list[PartName]:
    """Return the parts that this stack has, here or elsewhere, each after those that it needs."""
    return [part for part in PARTS if part not in OPTIONAL or record.runs(part)]


def inspect_part(part: PartName, record: StackRecord, states: Mapping[str, ProgramState]) -> PartStatus:
    """Return the status of one part."""
    address = _address(part, record)
    if not record.runs(part):
        return PartStatus(part, "external", None, address, None, _problem(part, record, None))
    state = states.get(part, NOT_RUNNING)
    uptime = int(time.time() - state.started_at) if state.started_at else None
    problem = "has no process" if state.pid is None else _problem(part, record, state.started_at)
    return PartStatus(part, state.name.lower(), state.pid, address, uptime, problem)


def taskmanager_pid(home: Home) -> int | None:
    """Return the pid of the stack's TaskManager, or None while there is none."""
    return program_states(home).get("taskmanager", NOT_RUNNING).pid


def _problem(part: PartName, record: StackRecord, started_at: float | None) -> str | None:
    match part:
        case "minio":
            return store_problem(record)
        case "kafka":
            return broker_problem(record)
        case "zookeeper":
            return coordination_problem(record)
        case "toxiproxy":
            return proxy_problem(record)
        case "jobmanager":
            return jobmanager_problem(record)
        case "taskmanager":
            return taskmanager_problem(record, started_at)


def _address(part: PartName, record: StackRecord) -> str:
    match part:
        case "minio":
            return record.s3_endpoint
        case "kafka":
            return record.kafka_bootstrap
        case "zookeeper":
            return quorum(record)
        case "toxiproxy":
            return record.toxiproxy_url or ""
        case "jobmanager":
            return record.flink_url
        case "taskmanager":
            return f"{record.slots} slots"


__all__ = ["PARTS", "PartStatus", "inspect_part", "inspect_stack", "parts_of", "python_workers", "taskmanager_pid"]
