"""The facts that every container announces in its own way."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself; `size` is (width, height) in pixels, None where only the decoder reads it.

    `frames` counts frames or pages. `loop` is how often a player runs through the frames, 0: for ever, None: it is no
    animation. `stored_pixels` are those of all frames, each as large as it is stored, None: no more than `size`.
    """

    size: tuple[int, int] | None = None
    frames: int = 1
    loop: int | None = None
    stored_pixels: int | None = None
