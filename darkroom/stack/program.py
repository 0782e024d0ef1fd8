"""One supervised process: what to run, with what environment, in which order."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from darkroom.stack.record import PartName


@dataclass(frozen=True, slots=True)
class Program:
    """What supervisord needs to know of a part; no value may be secret, because it lands in files and in `ps`."""

    part: PartName
    command: tuple[str, ...]
    priority: int  # started in ascending order, stopped in descending order
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_wait_seconds: int = 15
