"""The statuses of events that end in admit, before anything was fetched."""

from schemas.reasons import Reason
from schemas.record_codecs import status_codec
from schemas.records import Failure, ImageEvent, ImageStatus, Outcome, Stage
from udfs.ledger import Verdict

SUPERSEDED = {
    Verdict.NEWER_VERSION_KNOWN: (
        Reason.NEWER_VERSION_KNOWN,
        "version {version} is not newer than one that took effect before",
    ),
    Verdict.IMAGE_DELETED: (Reason.IMAGE_DELETED, "the image was deleted at version {version} or later"),
}


class Refusals:
    """Makes encoded statuses of one version of the job."""

    def __init__(self, job_version: str) -> None:
        self._job_version = job_version
        self._statuses = status_codec()

    def superseded(self, event: ImageEvent, verdict: Verdict) -> bytes:
        """Return the status of an event whose version is not the newest of its image."""
        reason, message = SUPERSEDED[verdict]
        return self._status(event, Outcome.SUPERSEDED, reason, message.format(version=event.version))

    def backlog_full(self, event: ImageEvent, max_held: int) -> bytes:
        """Return the status of an event whose user has as many events held as may be."""
        message = f"{max_held} events of the user are held back already"
        return self._status(event, Outcome.REJECTED, Reason.USER_BACKLOG_FULL, message)

    def _status(self, event: ImageEvent, outcome: Outcome, reason: Reason, message: str) -> bytes:
        return self._statuses.encode(
            ImageStatus(
                event_id=event.event_id,
                kind=event.kind,
                user_id=event.user_id,
                image_id=event.image_id,
                version=event.version,
                outcome=outcome,
                failures=(Failure(stage=Stage.ADMIT, reason=reason, message=message),),
                job_version=self._job_version,
                traceparent=event.traceparent,
            )
        )
