"""What the oracle says: findings in words, counted by kind."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum, auto


class Kind(StrEnum):
    """How the promise can be broken."""

    LOST = auto()
    DUPLICATED = auto()
    OUT_OF_ORDER = auto()
    WRONG_OUTCOME = auto()
    ORPHANED = auto()
    CORRUPT = auto()
    DEAD_LETTERS_WRONG = auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise."""

    kind: Kind
    text: str


@dataclass(slots=True)
class Verdict:
    """Everything that is wrong, and how much was looked at."""

    findings: list[Finding] = field(default_factory=list)
    records: int = 0
    events: int = 0
    statuses: int = 0
    dead_letters: int = 0
    objects: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def add(self, kind: Kind, text: str) -> None:
        """Note one broken promise."""
        self.findings.append(Finding(kind, text))

    def count(self, kind: Kind) -> int:
        """Return how often the promise is broken in one way."""
        return sum(finding.kind is kind for finding in self.findings)

    @property
    def lost(self) -> int:
        """Events without a status, derivatives that are not stored, records that Kafka lost."""
        return self.count(Kind.LOST)

    @property
    def duplicated(self) -> int:
        """Statuses beyond the first of an event."""
        return self.count(Kind.DUPLICATED)

    @property
    def out_of_order(self) -> int:
        """Statuses behind one of a later event of the image."""
        return self.count(Kind.OUT_OF_ORDER)

    @property
    def wrong_outcome(self) -> int:
        """Statuses that say something else than the model allows."""
        return self.count(Kind.WRONG_OUTCOME)

    @property
    def orphaned(self) -> int:
        """Objects that nothing should have left."""
        return self.count(Kind.ORPHANED)

    @property
    def corrupt(self) -> int:
        """Objects that are not what their status says."""
        return self.count(Kind.CORRUPT)

    @property
    def dead_letters_wrong(self) -> int:
        """Dead letters too many, too few, or for another reason."""
        return self.count(Kind.DEAD_LETTERS_WRONG)

    def as_figures(self) -> dict[str, int]:
        """Return every count by name, for a report."""
        kinds = {kind.value: self.count(kind) for kind in Kind}
        sizes = ("records", "events", "statuses", "dead_letters", "objects")
        return {name: getattr(self, name) for name in sizes} | kinds

    def broken(self) -> dict[str, int]:
        """Return the counts of what is broken, by kind."""
        return dict(Counter(finding.kind.value for finding in self.findings))

    def in_words(self, limit: int = 20) -> str:
        """Return the figures and the first findings, one a line."""
        told = [f"{name.replace('_', ' ')}: {count}" for name, count in self.as_figures().items()]
        lines = [f"  {finding.kind.replace('_', ' ')}: {finding.text}" for finding in self.findings[:limit]]
        more = [f"  ... and {len(self.findings) - limit} more"] if len(self.findings) > limit else []
        return "\n".join([", ".join(told), *lines, *more])
