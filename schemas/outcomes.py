"""The published table of outcomes: how each kind of end is meant and what a consumer should do."""

from dataclasses import dataclass

from schemas.records import Outcome


@dataclass(frozen=True, slots=True)
class OutcomeDoc:
    """One row of the published table of outcomes."""

    meaning: str
    consumer: str


OUTCOMES: dict[Outcome, OutcomeDoc] = {
    Outcome.READY: OutcomeDoc(
        "Every preset asked for is stored.",
        "Serve the derivatives; they replace those of every earlier status of the image.",
    ),
    Outcome.PARTIAL: OutcomeDoc(
        "Some presets are stored, and each of the others has a failure.",
        "Serve what there is; read the failures.",
    ),
    Outcome.REJECTED: OutcomeDoc(
        "The event or its source is at fault; nothing was stored.",
        "Tell the producer the reason; the same event would be rejected again.",
    ),
    Outcome.FAILED: OutcomeDoc(
        "Darkroom is at fault; no derivative is announced, and the event is also kept as a dead letter.",
        "Nothing is wrong with the image; publish a REDERIVE once the cause is mended.",
    ),
    Outcome.DELETED: OutcomeDoc(
        "Every derivative of the image is removed.", "Stop serving the image; its keys no longer exist."
    ),
    Outcome.SUPERSEDED: OutcomeDoc(
        "This version of the image, a newer one or a deletion took effect before this event; it changed nothing.",
        "Ignore it; the newer event has a status of its own.",
    ),
}
