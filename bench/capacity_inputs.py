"""The numbers that the capacity model starts from: measured ones out of docs/performance/*.json, and assumed ones."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from pages import DOCS

from darkroom.errors import OperatorError
from jobs.settings import Settings
from udfs.ledger import EVENT_WIDTHS, IMAGE_WIDTHS
from udfs.packed_table import ID_BYTES

CASE = "default set"
BACKEND = "rocksdb"
UNCOMPRESSED = "hashmap"
RENDERERS = Settings.model_fields["render_processes"].default  # of a slot when all was measured
COMMANDS = {
    "throughput": "make bench",
    "state": "make bench-state",
    "scale": "make bench-scale",
    "spike": "make bench-spike",
}


@dataclass(frozen=True, slots=True)
class Input:
    """One number: its name, unit, and the command that measured it, or why it is assumed."""

    name: str
    unit: str
    origin: str
    value: float


def read_inputs() -> dict[str, Input]:
    """Return all inputs by their keys.

    Raises:
        OperatorError: something was never measured.
    """
    found = [
        *_throughput(read_record("throughput")),
        *_state(read_record("state")),
        *_scale(read_record("scale")),
        *_assumed(),
    ]
    return dict(found)


def read_record(name: str) -> Any:
    """Return what was measured and written under a name.

    Raises:
        OperatorError: it was not.
    """
    path = DOCS / "performance" / f"{name}.json"
    if not path.exists():
        message = f"{path} is not there; measure it first: {COMMANDS[name]}, with --write"
        raise OperatorError(message)
    return json.loads(path.read_text("utf-8"))


def _throughput(record: Any) -> list[tuple[str, Input]]:
    (case,) = (one for one in record if one["case"] == CASE)
    runs = [one["job"] for one in case["rounds"]]
    slots = float(read_record("scale")["slots"])

    def cpu(part: str) -> float:
        return float(median(one["cpu_ms"][part] for one in runs))

    def mib(part: str) -> float:
        return float(max(one["usage"]["peak_mib"][part] for one in runs) / slots)

    return [
        ("render_ms", _measured("CPU of rendering one event", "ms", "throughput", cpu("rendering processes"))),
        ("worker_ms", _measured("CPU of the Python worker per event", "ms", "throughput", cpu("Python workers"))),
        ("java_ms", _measured("CPU of the TaskManager per event", "ms", "throughput", cpu("TaskManager"))),
        ("kafka_ms", _measured("CPU of Kafka per event", "ms", "throughput", cpu("Kafka"))),
        ("store_ms", _measured("CPU of MinIO per event", "ms", "throughput", cpu("MinIO"))),
        ("worker_mib", _measured("memory of a Python worker", "MiB", "throughput", mib("Python workers"))),
        (
            "renderer_mib",
            _measured("memory of a renderer", "MiB", "throughput", mib("rendering processes") / RENDERERS),
        ),
        ("java_mib", _measured("memory of the TaskManager per slot", "MiB", "throughput", mib("TaskManager"))),
        ("puts", _measured("derivatives of one event", "", "throughput", case["derivatives"])),
    ]


def _state(record: Mapping[str, Any]) -> list[tuple[str, Input]]:
    jobs = {one["backend"]: one for one in sorted(record["jobs"], key=lambda one: one["users"])}  # the most users
    whole = jobs[UNCOMPRESSED]
    bytes_of_user = median(one["full_bytes"] for one in whole["checkpoints"]) / whole["users"]
    base = bytes_of_user - whole["ids"] / whole["users"] * (_id_bytes() + _image_bytes())
    rate = median(one["rate"] for one in jobs[BACKEND]["cold"])
    return [
        ("admit_rate", _measured("decode and admit of one slot, cold users", "events/s", "state", rate)),
        ("user_bytes", _measured("state of a user without ids and images", "bytes", "state", base)),
    ]


def _scale(record: Mapping[str, Any]) -> list[tuple[str, Input]]:
    restart = median(one["first_status"] for one in record["rounds"])
    sizes = {"event": "record of an event", "status": "status", "source": "source", "derivatives": "its derivatives"}
    return [
        ("restart_s", _measured("a killed TaskManager until the first status", "s", "scale", restart)),
        *((f"{key}_bytes", _measured(name, "bytes", "scale", record["bytes"][key])) for key, name in sizes.items()),
    ]


def _assumed() -> list[tuple[str, Input]]:
    return [
        ("users", Input("users that are remembered", "", "the daily users of the plan", 100e6)),
        ("ids", Input("event ids remembered of a user", "", "a day of 10 events", 10)),
        ("images", Input("images remembered of a user", "", "30 days of 10 images", 300)),
        ("id_bytes", Input("state of an event id", "bytes", "`udfs/ledger.py`", _id_bytes())),
        ("image_bytes", Input("state of an image", "bytes", "`udfs/ledger.py`", _image_bytes())),
        ("busy", Input("share of a core that is planned for", "", "assumed", 0.7)),
        ("renderers", Input("`DARKROOM_RENDER_PROCESSES`", "per slot", "chosen", 4)),
        ("interval_s", Input("checkpoint interval", "s", "`config.yaml`", 10)),
        ("copies", Input("copies of each record in Kafka", "", "assumed", 3)),
        ("core_price", Input("price of a core for an hour", "$", "assumed; a cloud's list price", 0.04)),
        ("put_price", Input("price of a million PUTs or LISTs", "$", "assumed; 0 with a store of one's own", 5.0)),
        ("get_price", Input("price of a million GETs", "$", "assumed; 0 with a store of one's own", 0.4)),
    ]


def _measured(name: str, unit: str, record: str, value: float) -> Input:
    return Input(name, unit, f"`{COMMANDS[record]}`", value)


def _id_bytes() -> float:
    return float(ID_BYTES + sum(EVENT_WIDTHS))


def _image_bytes() -> float:
    return float(ID_BYTES + sum(IMAGE_WIDTHS))
