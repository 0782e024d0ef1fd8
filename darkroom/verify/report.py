"""The result of one verification, for Python and for people."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Self

from darkroom.console import plural
from darkroom.verify.figures import Figures
from darkroom.verify.findings import Finding, Kind, stream_findings
from darkroom.verify.ledger import Ledger


class Report:
    """Figures and findings; the findings stay on disk until the report is closed."""

    def __init__(self, ledger: Ledger, figures: Figures) -> None:
        self._ledger = ledger
        self.figures = figures

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ledger.close()

    @property
    def ok(self) -> bool:
        """Whether nothing is lost, duplicated, orphaned or corrupt."""
        figures = self.figures
        return not (figures.lost or figures.duplicated or figures.orphaned or figures.corrupt)

    def findings(self, kind: Kind | None = None, limit: int = -1) -> Iterator[Finding]:
        """Stream the findings of one kind, or all."""
        return stream_findings(self._ledger, kind, limit)

    def rows(self, query: str, parameters: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Stream the answer to a query on everything that was read."""
        return self._ledger.rows(query, parameters)

    def as_json(self) -> dict[str, Any]:
        """Return the figures under their names, with ``ok`` and the one-line summary."""
        return {"ok": self.ok, **asdict(self.figures), "summary": summary(self.figures)}


def summary(figures: Figures) -> str:
    """Return the one line of figures; ``!=`` where events and outcomes do not add up."""
    sign = "=" if figures.events == figures.statuses + figures.dead_letters else "!="
    return (
        f"{plural(figures.events, 'event')} {sign} {plural(figures.statuses, 'status', 'statuses')}"
        f" + {plural(figures.dead_letters, 'dead letter')}; {plural(figures.duplicates_ignored, 'duplicate')} ignored;"
        f" {plural(figures.objects, 'object')}; {figures.lost:,} lost, {figures.duplicated:,} duplicated,"
        f" {figures.orphaned:,} orphaned, {figures.corrupt:,} corrupt"
    )


def notes(figures: Figures) -> list[str]:
    """Return what a reader of the summary should know besides, one sentence each."""
    facts = (
        (
            figures.dead_letters_of_failed,
            "dead letter keeps an event that FAILED",
            "dead letters keep events that FAILED",
        ),
        (
            figures.in_flight,
            "event came while this ran and is still open",
            "events came while this ran and are still open",
        ),
        (
            figures.images_unsettled,
            "image has an event still open, so its objects were not judged",
            "images have an event still open, so their objects were not judged",
        ),
        (
            figures.replaced_by_replays,
            "event without a status has that of its replay",
            "events without a status have those of their replays",
        ),
        (figures.uncommitted_records, "record lies behind an open transaction", "records lie behind open transactions"),
        (figures.empty_records, "record has no value and is no event", "records have no value and are no events"),
    )
    return [f"{plural(count, one, many)}." for count, one, many in facts if count]
