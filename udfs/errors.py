"""What can go wrong between an event and its derivatives, and who is to blame.

SourceError                  permanent, the event is to blame; carries its reason code
├── SourceMissingError       SOURCE_MISSING
├── SourceBucketMissingError SOURCE_BUCKET_MISSING
├── SourceForbiddenError     SOURCE_FORBIDDEN
├── SourceChangedError       SOURCE_CHANGED
└── SourceTooLargeError      SOURCE_TOO_LARGE
StoreUnavailableError        transient, nobody's event is to blame: retried, then the job restarts
OutageError                  raised by settle: storage stayed unavailable for longer than the job's patience

Errors of the picture itself are in udfs.imaging.errors; errors of the bytes of an event in schemas.errors.
"""

from typing import ClassVar

from schemas.reasons import Reason


class SourceError(Exception):
    """The source an event points to cannot be used."""

    reason: ClassVar[Reason]


class SourceMissingError(SourceError):
    """No object has the source's key."""

    reason = Reason.SOURCE_MISSING


class SourceBucketMissingError(SourceError):
    """The source's bucket does not exist, or its name cannot be one."""

    reason = Reason.SOURCE_BUCKET_MISSING


class SourceForbiddenError(SourceError):
    """The store denies access to this source."""

    reason = Reason.SOURCE_FORBIDDEN


class SourceChangedError(SourceError):
    """The source no longer has the entity tag that the event names."""

    reason = Reason.SOURCE_CHANGED


class SourceTooLargeError(SourceError):
    """The source has more bytes than the limit; it was not read."""

    reason = Reason.SOURCE_TOO_LARGE


class StoreUnavailableError(Exception):
    """The store did not do what it was asked, for a reason that no event is to blame for."""


class OutageError(Exception):
    """The store stayed unavailable; the job restarts from its checkpoint."""
