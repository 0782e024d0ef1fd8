"""What a rate of events takes, by linear arithmetic over what was measured; it knows no files and no report."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from capacity_inputs import Input

from jobs.derivatives import MAX_PARALLELISM

LOADS = {"mean": 12_000.0, "peak": 36_000.0, "10 x mean": 120_000.0}
PLANNED = "peak"
GIB = 1024**3
MB = 1e6


@dataclass(frozen=True, slots=True)
class Demand:
    """What a rate of events takes."""

    rate: float
    cores: float
    render_cores: float
    store_cores: float
    kafka_cores: float
    slots: int
    memory_gib: float
    state_gib: float
    state_per_slot_gib: float
    checkpoint_mb_s: float  # of state that changes
    kafka_mb_s: float  # written, all copies
    get_mb_s: float
    put_mb_s: float
    requests: float  # per second, of the store
    dollars_per_million: float

    @property
    def partitions(self) -> int:
        """The least power of two that gives every slot one."""
        return 1 << (self.slots - 1).bit_length()


def demand(inputs: Mapping[str, Input], rate: float) -> Demand:
    """Return what a rate takes; cores and slots are so many that they are busy for the planned share."""
    of = {key: one.value for key, one in inputs.items()}

    def cores(*parts: str) -> float:
        return rate * sum(of[part] for part in parts) / 1000 / of["busy"]

    slots = math.ceil(cores("render_ms") / of["renderers"])
    user = of["user_bytes"] + of["ids"] * of["id_bytes"] + of["images"] * of["image_bytes"]
    all_cores = cores("render_ms", "worker_ms", "java_ms", "kafka_ms", "store_ms")
    requests = rate * (of["puts"] + 2)  # one GET and one LIST, which is priced as a PUT
    return Demand(
        rate=rate,
        cores=all_cores,
        render_cores=cores("render_ms"),
        store_cores=cores("store_ms"),
        kafka_cores=cores("kafka_ms"),
        slots=slots,
        memory_gib=slots * (of["worker_mib"] + of["renderers"] * of["renderer_mib"] + of["java_mib"]) / 1024,
        state_gib=of["users"] * user / GIB,
        state_per_slot_gib=of["users"] * user / GIB / slots,
        checkpoint_mb_s=rate * user / MB,
        kafka_mb_s=rate * (of["event_bytes"] + of["status_bytes"]) * of["copies"] / MB,
        get_mb_s=rate * of["source_bytes"] / MB,
        put_mb_s=rate * of["derivatives_bytes"] / MB,
        requests=requests,
        dollars_per_million=all_cores / rate * 1e6 / 3600 * of["core_price"]
        + (of["puts"] + 1) * of["put_price"]
        + of["get_price"],
    )


def limits(inputs: Mapping[str, Input], plan: Demand) -> dict[str, float]:
    """Return at how many events a second each part of the planned cluster is busy all the time."""
    of = {key: one.value for key, one in inputs.items()}
    slot_rate = of["renderers"] * 1000 / of["render_ms"]
    return {
        f"the renderers of {plan.slots:,} slots": plan.slots * slot_rate,
        f"the Python workers of {plan.slots:,} slots, one core each": plan.slots * 1000 / of["worker_ms"],
        f"decode and admit of cold users in {plan.slots:,} slots": plan.slots * of["admit_rate"],
        f"{plan.partitions:,} partitions, one slot each": plan.partitions * slot_rate,
        f"{MAX_PARALLELISM:,} key groups, one slot each": MAX_PARALLELISM * slot_rate,
        f"{MAX_PARALLELISM:,} key groups, one renderer per slot": MAX_PARALLELISM * 1000 / of["render_ms"],
    }
