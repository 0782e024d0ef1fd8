"""What can go wrong between an event and its derivatives, and who is to blame.

SourceError                  permanent, the event is to blame; carries its reason code
├── SourceMissingError       SOURCE_MISSING
├── SourceBucketMissingError SOURCE_BUCKET_MISSING
├── SourceBucketNotAllowedError  SOURCE_BUCKET_NOT_ALLOWED
├── SourceForbiddenError     SOURCE_FORBIDDEN
├── SourceChangedError       SOURCE_CHANGED
└── SourceTooLargeError      SOURCE_TOO_LARGE
RenderingError               permanent, the picture broke its rendering process, twice; carries its reason code
├── MemoryBudgetError        MEMORY_BUDGET
├── TimeBudgetError          TIME_BUDGET
└── DecoderCrashError        DECODER_CRASH
RendererBrokenError          the renderer raised what it never should: a fault of our own
SandboxUnavailableError      transient, no rendering process can be started: the job restarts
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


class SourceBucketNotAllowedError(SourceError):
    """The source's bucket is none of those that events may name; the store was not asked."""

    reason = Reason.SOURCE_BUCKET_NOT_ALLOWED


class SourceForbiddenError(SourceError):
    """The store denies access to this source."""

    reason = Reason.SOURCE_FORBIDDEN


class SourceChangedError(SourceError):
    """The source no longer has the entity tag that the event names."""

    reason = Reason.SOURCE_CHANGED


class SourceTooLargeError(SourceError):
    """The source has more bytes than the limit; it was not read."""

    reason = Reason.SOURCE_TOO_LARGE


class RenderingError(Exception):
    """The picture broke the process that rendered it, or what rendering may take."""

    reason: ClassVar[Reason]


class MemoryBudgetError(RenderingError):
    """Rendering took more memory than its budget."""

    reason = Reason.MEMORY_BUDGET


class TimeBudgetError(RenderingError):
    """Rendering took more CPU time, or more time on the clock, than its budget."""

    reason = Reason.TIME_BUDGET


class DecoderCrashError(RenderingError):
    """The rendering process died, or gave an answer that is none."""

    reason = Reason.DECODER_CRASH


class RendererBrokenError(Exception):
    """The renderer raised an exception that says nothing of the picture."""


class SandboxUnavailableError(Exception):
    """No rendering process can be started, for a reason that no event is to blame for."""


class StoreUnavailableError(Exception):
    """The store did not do what it was asked, for a reason that no event is to blame for."""


class OutageError(Exception):
    """The store stayed unavailable; the job restarts from its checkpoint."""
