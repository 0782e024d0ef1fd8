"""Frames that look like an opened animation to Pillow's encoders, each made when its encoder comes to it."""

import io
from collections.abc import Iterator
from typing import Any, Final

from PIL import Image

from udfs.imaging.encode.encoded import Animation, Shown
from udfs.imaging.flatten import flatten

# What WebP's frames and libwebp's clock can hold. Source: RFC 9649, 2.7.1.1; WebPAnimEncoderAdd, whose times are int.
MAX_DURATION_MS: Final = 2**24 - 1
MAX_SUM_MS: Final = 2**31 - 1

WITH_COLOR: Final = {"L": "RGB", "LA": "RGBA"}


class Reel(Image.Image):
    """One frame is in memory at a time; the encoders go through the frames once, from the first to the last.

    A frame is shown for no more than 4.6 hours, and all of them together for no more than 24 days.
    """

    def __init__(self, animation: Animation, background: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.n_frames = animation.frames
        self.is_animated = animation.frames > 1
        self.durations_ms: list[int] = []  # grows with the frames: encoders ask for a duration after its frame
        self._longest_ms = min(MAX_DURATION_MS, MAX_SUM_MS // animation.frames)
        self._frames = uniform(animation.play(), background)
        self._turn()

    def encoded(self, format_: str, **parameters: Any) -> bytes:
        """Return the bytes of the whole animation.

        Raises EOFError where there are fewer frames than were announced.
        """
        file = io.BytesIO()
        try:
            self.save(file, format_, save_all=True, duration=self.durations_ms, **parameters)
        except EOFError:
            pass
        if len(self.durations_ms) < self.n_frames:
            msg = f"the animation ends after {len(self.durations_ms)} of {self.n_frames} frames"
            raise EOFError(msg)
        return file.getvalue()

    def seek(self, frame: int) -> None:
        """Go to the next frame; encoders also ask for the first one before they begin and when they are done.

        Raises EOFError past the end.
        """
        if frame == len(self.durations_ms):
            self._turn()

    def tell(self) -> int:
        """Return the first frame's number: where an encoder goes back to."""
        return 0

    def _turn(self) -> None:
        shown = next(self._frames, None)
        if shown is None:
            raise EOFError
        self.im, self._mode, self._size = shown.image.im, shown.image.mode, shown.image.size
        self.durations_ms.append(min(shown.duration_ms, self._longest_ms))


def uniform(frames: Iterator[Shown], background: tuple[int, int, int, int]) -> Iterator[Shown]:
    """Give the frames in the mode of the first one, RGB or RGBA: encoders of animations want one for all.

    Where the first one is opaque and a later one is not, that one lies on the background.
    """
    mode = None
    for image, duration_ms in frames:
        mode = mode or WITH_COLOR.get(image.mode, image.mode)
        opaque = flatten(image, background) if mode == "RGB" else image
        yield Shown(opaque if opaque.mode == mode else opaque.convert(mode), duration_ms)
