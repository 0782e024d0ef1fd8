"""What can be wrong with a source, a preset or a presets file.

ImagingError                  permanent: the same bytes fail the same way again
├── SourceRejected            nothing can be made from this source
│   ├── SourceEmpty           SOURCE_EMPTY
│   ├── SourceTooLarge        SOURCE_TOO_LARGE
│   ├── NotAnImage            NOT_AN_IMAGE
│   ├── UnsupportedFormat     UNSUPPORTED_FORMAT
│   ├── CorruptImage          CORRUPT_IMAGE
│   ├── TooManyPixels         TOO_MANY_PIXELS
│   ├── TooManyFrames         TOO_MANY_FRAMES
│   ├── ExtremeAspectRatio    EXTREME_ASPECT_RATIO
│   ├── DecompressionBomb     DECOMPRESSION_BOMB
│   └── MetadataTooLarge      METADATA_TOO_LARGE
├── RenderFailed              RENDER_FAILED: one preset cannot be made, the others can
│   ├── AnimationTooLarge     ANIMATION_TOO_LARGE
│   └── ByteBudgetTooSmall    BYTE_BUDGET_TOO_SMALL
└── UnknownPreset             UNKNOWN_PRESET: an event asks for a preset that no one defined
PresetsError                  the presets file is wrong: a matter for the operator, not for an event

Every error survives pickling, because rendering may happen in a child process.
"""

from collections.abc import Sequence
from typing import ClassVar


class ImagingError(Exception):
    """A permanent fault of the data: asking again gives the same answer."""

    reason: ClassVar[str]
    permanent: ClassVar[bool] = True


class SourceRejected(ImagingError):
    """Nothing can be made from this source."""


class SourceEmpty(SourceRejected):
    """The source has no bytes."""

    reason = "SOURCE_EMPTY"


class SourceTooLarge(SourceRejected):
    """The source has more bytes than the limit."""

    reason = "SOURCE_TOO_LARGE"


class NotAnImage(SourceRejected):
    """The first bytes belong to no image format."""

    reason = "NOT_AN_IMAGE"


class UnsupportedFormat(SourceRejected):
    """A known format, or a known kind of pixel, that is not on the allow-list."""

    reason = "UNSUPPORTED_FORMAT"


class CorruptImage(SourceRejected):
    """The format is recognised but the content is damaged or cut off."""

    reason = "CORRUPT_IMAGE"


class TooManyPixels(SourceRejected):
    """The header announces more pixels or a longer side than the limits allow."""

    reason = "TOO_MANY_PIXELS"


class TooManyFrames(SourceRejected):
    """The source has more frames or pages, or more pixels in all of them together, than the limits allow."""

    reason = "TOO_MANY_FRAMES"


class ExtremeAspectRatio(SourceRejected):
    """One side is more times the other than the limit allows."""

    reason = "EXTREME_ASPECT_RATIO"


class DecompressionBomb(SourceRejected):
    """The source would become far more bytes in memory than a picture of its size ever does."""

    reason = "DECOMPRESSION_BOMB"


class MetadataTooLarge(SourceRejected):
    """Text, profile or other metadata in the source are larger than the limit, packed or unpacked."""

    reason = "METADATA_TOO_LARGE"


class RenderFailed(ImagingError):
    """One preset cannot be made from this source; the others are not affected."""

    reason = "RENDER_FAILED"


class AnimationTooLarge(RenderFailed):
    """The preset keeps animations, and this one has more frames or pixels than the limits of an animation allow."""

    reason = "ANIMATION_TOO_LARGE"


class ByteBudgetTooSmall(RenderFailed):
    """No quality makes the derivative fit into the preset's byte budget."""

    reason = "BYTE_BUDGET_TOO_SMALL"


class UnknownPreset(ImagingError):
    """A preset name, or the set named `default`, that the presets file does not define."""

    reason = "UNKNOWN_PRESET"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name, tuple(known))
        self.name = name
        self.known = tuple(known)

    def __str__(self) -> str:
        return (
            f"presets: {self.name[:80]!r} is not defined; ask for one of {', '.join(self.known)}, "
            "or add it to the presets file"
        )


class PresetsError(Exception):
    """A presets file that cannot be used; `problems` holds one sentence per fault, all of them."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(self.problems)
