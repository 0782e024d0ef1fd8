"""The closed list of reason codes: what each means and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why an event, or one preset of it, did not succeed. The symbols are those of the Avro enum."""

    UNSPECIFIED = "UNSPECIFIED"
    NOT_AVRO = "NOT_AVRO"
    UNKNOWN_SCHEMA = "UNKNOWN_SCHEMA"
    INVALID_EVENT = "INVALID_EVENT"
    NEWER_VERSION_KNOWN = "NEWER_VERSION_KNOWN"
    IMAGE_DELETED = "IMAGE_DELETED"
    USER_BACKLOG_FULL = "USER_BACKLOG_FULL"
    UNKNOWN_PRESET = "UNKNOWN_PRESET"
    SOURCE_MISSING = "SOURCE_MISSING"
    SOURCE_BUCKET_MISSING = "SOURCE_BUCKET_MISSING"
    SOURCE_BUCKET_NOT_ALLOWED = "SOURCE_BUCKET_NOT_ALLOWED"
    SOURCE_FORBIDDEN = "SOURCE_FORBIDDEN"
    SOURCE_CHANGED = "SOURCE_CHANGED"
    SOURCE_EMPTY = "SOURCE_EMPTY"
    SOURCE_TOO_LARGE = "SOURCE_TOO_LARGE"
    NOT_AN_IMAGE = "NOT_AN_IMAGE"
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"
    CORRUPT_IMAGE = "CORRUPT_IMAGE"
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS"
    TOO_MANY_FRAMES = "TOO_MANY_FRAMES"
    EXTREME_ASPECT_RATIO = "EXTREME_ASPECT_RATIO"
    DECOMPRESSION_BOMB = "DECOMPRESSION_BOMB"
    METADATA_TOO_LARGE = "METADATA_TOO_LARGE"
    RENDER_FAILED = "RENDER_FAILED"
    ANIMATION_TOO_LARGE = "ANIMATION_TOO_LARGE"
    BYTE_BUDGET_TOO_SMALL = "BYTE_BUDGET_TOO_SMALL"
    MEMORY_BUDGET = "MEMORY_BUDGET"
    TIME_BUDGET = "TIME_BUDGET"
    DECODER_CRASH = "DECODER_CRASH"
    INTERNAL_ERROR = "INTERNAL_ERROR"


@dataclass(frozen=True, slots=True)
class ReasonDoc:
    """One row of the published table of reason codes."""

    ends_as: str
    meaning: str
    remedy: str


REASONS: dict[Reason, ReasonDoc] = {
    Reason.UNSPECIFIED: ReasonDoc(
        "any", "A reason newer than the schema you read with.", "Read with the schema of the job that wrote it."
    ),
    Reason.NOT_AVRO: ReasonDoc(
        "dead letter",
        "The record is not an Avro single-object encoding, or it is cut short or followed by other bytes.",
        "Write the marker C3 01, the fingerprint of the writer's schema and the Avro body.",
    ),
    Reason.UNKNOWN_SCHEMA: ReasonDoc(
        "dead letter",
        "No known schema has the fingerprint the record names.",
        "Add the producer's schema to the folder named by DARKROOM_SCHEMAS_DIR and replay.",
    ),
    Reason.INVALID_EVENT: ReasonDoc(
        "dead letter",
        "The record decodes, but a field has a value no event may have.",
        "Correct the field the message names; publish the event again.",
    ),
    Reason.NEWER_VERSION_KNOWN: ReasonDoc(
        "SUPERSEDED",
        "This version of the image, or a newer one, took effect before this event.",
        "Nothing to do, or publish again with a higher version; REDERIVE repeats a version.",
    ),
    Reason.IMAGE_DELETED: ReasonDoc(
        "SUPERSEDED",
        "The image was deleted at this version or a later one.",
        "Nothing to do; upload it again with a higher version.",
    ),
    Reason.USER_BACKLOG_FULL: ReasonDoc(
        "REJECTED",
        "The user has as many events held back as DARKROOM_MAX_HELD_PER_USER allows; the event took no effect.",
        "Publish more slowly, or raise DARKROOM_USER_EVENTS_PER_MINUTE; `darkroom replay` publishes it again.",
    ),
    Reason.UNKNOWN_PRESET: ReasonDoc(
        "REJECTED",
        "The event asks for a preset that the presets file does not have.",
        "Correct the name, or add the preset and publish a REDERIVE.",
    ),
    Reason.SOURCE_MISSING: ReasonDoc(
        "REJECTED",
        "There is no object under the source's key.",
        "Store the source before publishing its event; then publish a REDERIVE.",
    ),
    Reason.SOURCE_BUCKET_MISSING: ReasonDoc(
        "REJECTED", "The source's bucket does not exist.", "Correct the bucket's name; then publish a REDERIVE."
    ),
    Reason.SOURCE_BUCKET_NOT_ALLOWED: ReasonDoc(
        "REJECTED",
        "The source's bucket is none of those that events may name; the store was not asked.",
        "Store the source in one of DARKROOM_SOURCE_BUCKETS, or add the bucket there; then publish a REDERIVE.",
    ),
    Reason.SOURCE_FORBIDDEN: ReasonDoc(
        "REJECTED",
        "The store denies the job access to this source.",
        "Allow the job's user to read the bucket; then publish a REDERIVE.",
    ),
    Reason.SOURCE_CHANGED: ReasonDoc(
        "REJECTED",
        "The source is no longer the one whose entity tag the event names.",
        "Publish an event for the new source, with a higher version.",
    ),
    Reason.SOURCE_EMPTY: ReasonDoc("REJECTED", "The source has no bytes.", "Upload it again with a higher version."),
    Reason.SOURCE_TOO_LARGE: ReasonDoc(
        "REJECTED",
        "The source has more bytes than the limit.",
        "Upload a smaller file, or raise DARKROOM_MAX_SOURCE_BYTES.",
    ),
    Reason.NOT_AN_IMAGE: ReasonDoc(
        "REJECTED", "The source's content is no image format.", "Upload an image with a higher version."
    ),
    Reason.UNSUPPORTED_FORMAT: ReasonDoc(
        "REJECTED",
        "The source is an image, in a format that is not developed.",
        "Convert it to JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF, HEIC or JPEG XL.",
    ),
    Reason.CORRUPT_IMAGE: ReasonDoc(
        "REJECTED", "The source begins as an image and cannot be decoded to its end.", "Upload an undamaged copy."
    ),
    Reason.TOO_MANY_PIXELS: ReasonDoc(
        "REJECTED",
        "The header announces more pixels than the limit; nothing was decoded.",
        "Upload a smaller picture, or raise DARKROOM_MAX_PIXELS.",
    ),
    Reason.TOO_MANY_FRAMES: ReasonDoc(
        "REJECTED",
        "The source has more frames or pages, or more pixels in all of them together, than the limit.",
        "Upload a shorter or smaller animation.",
    ),
    Reason.EXTREME_ASPECT_RATIO: ReasonDoc(
        "REJECTED", "One side of the picture is more times the other than the limit.", "Crop the picture."
    ),
    Reason.DECOMPRESSION_BOMB: ReasonDoc(
        "REJECTED",
        "The source would become far more bytes in memory than a picture of its size ever does; nothing was decoded.",
        "Save the picture again with an image editor; if it is genuine, make it smaller.",
    ),
    Reason.METADATA_TOO_LARGE: ReasonDoc(
        "REJECTED",
        "Text, a colour profile or other metadata in the source are larger than the limit, packed or unpacked.",
        "Remove the metadata and upload it again with a higher version.",
    ),
    Reason.RENDER_FAILED: ReasonDoc(
        "PARTIAL, or FAILED when no preset succeeds",
        "The picture was decoded, and this preset could not be made from it.",
        "Read the message; correct the preset and publish a REDERIVE.",
    ),
    Reason.ANIMATION_TOO_LARGE: ReasonDoc(
        "PARTIAL, or FAILED when no preset succeeds",
        "The preset keeps animations, and this one has more frames or pixels than an animation may have.",
        "Upload a shorter or smaller animation, or deliver its first frame (`animation: first`).",
    ),
    Reason.BYTE_BUDGET_TOO_SMALL: ReasonDoc(
        "PARTIAL, or FAILED when no preset succeeds",
        "Not even the lowest quality makes the derivative as small as the preset's `max_bytes`.",
        "Raise `max_bytes`, or make the preset's box smaller.",
    ),
    Reason.MEMORY_BUDGET: ReasonDoc(
        "FAILED",
        "Rendering took more memory than DARKROOM_RENDER_MEMORY_BYTES, twice; the event is also kept as a dead letter.",
        "Raise the budget, or lower DARKROOM_MAX_PIXELS; then `darkroom replay`.",
    ),
    Reason.TIME_BUDGET: ReasonDoc(
        "FAILED",
        "Rendering took longer than DARKROOM_RENDER_CPU_S or DARKROOM_RENDER_TIMEOUT_S, twice; the event is also kept"
        " as a dead letter.",
        "Raise the budget, or give the presets less effort; then `darkroom replay`.",
    ),
    Reason.DECODER_CRASH: ReasonDoc(
        "FAILED",
        "The rendering process died of this picture, twice; the event is also kept as a dead letter.",
        "Report it with the source; after the fix, `darkroom replay`.",
    ),
    Reason.INTERNAL_ERROR: ReasonDoc(
        "FAILED",
        "An error in the job's own code; the event is also kept as a dead letter.",
        "Report it with the message; publish a REDERIVE after the fix.",
    ),
}
