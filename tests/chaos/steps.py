"""What the load may do, how often, and of what one step of it is made."""

from dataclasses import dataclass
from enum import StrEnum, auto

from tests.chaos.journal import EVENT, GOOD


class Act(StrEnum):
    """What may happen next."""

    UPLOAD = auto()
    REPLACE = auto()
    DELETE = auto()
    REDERIVE_SET = auto()
    REDERIVE_NAMED = auto()
    DUPLICATE_SOON = auto()
    DUPLICATE_LATE = auto()
    OLD_VERSION = auto()
    UPLOAD_AFTER_DELETE = auto()
    BAD_IMAGE = auto()
    UNDECODABLE = auto()
    UNKNOWN_PRESETS = auto()
    REPLACED_IN_PLACE = auto()
    LATE_SOURCE = auto()
    FOREIGN_SOURCE = auto()


WEIGHTS = {
    Act.UPLOAD: 30,
    Act.REPLACE: 17,
    Act.DELETE: 8,
    Act.REDERIVE_SET: 6,
    Act.REDERIVE_NAMED: 6,
    Act.DUPLICATE_SOON: 6,
    Act.DUPLICATE_LATE: 4,
    Act.OLD_VERSION: 6,
    Act.UPLOAD_AFTER_DELETE: 4,
    Act.BAD_IMAGE: 5,
    Act.UNDECODABLE: 4,
    Act.UNKNOWN_PRESETS: 1,
    Act.REPLACED_IN_PLACE: 1,
    Act.LATE_SOURCE: 1,
    Act.FOREIGN_SOURCE: 1,
}


@dataclass(frozen=True, slots=True)
class Upload:
    """An object to store; one that `replaces` another takes the place of other bytes under its key."""

    bucket: str
    key: str
    data: bytes
    content: str = GOOD
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A record to publish; `expects` is EVENT, or the reason that its dead letter has to give."""

    key: bytes
    value: bytes
    expects: str = EVENT


@dataclass(frozen=True, slots=True)
class Step:
    """One message, what is stored before it, and what only after it."""

    act: Act
    before: tuple[Upload, ...]
    message: Message
    after: tuple[Upload, ...] = ()
