"""Every hostile file by name; nothing is made until it is asked for."""

from typing import Final

from tests.hostile import (
    attacks_bmp,
    attacks_damage,
    attacks_gif,
    attacks_heif,
    attacks_jpeg,
    attacks_jxl,
    attacks_metadata,
    attacks_nothing,
    attacks_png,
    attacks_polyglots,
    attacks_regressions,
    attacks_tiff,
    attacks_webp,
)
from tests.hostile.attack import Attack

ATTACKS: Final[tuple[Attack, ...]] = (
    *attacks_nothing.attacks(),
    *attacks_jpeg.attacks(),
    *attacks_png.attacks(),
    *attacks_webp.attacks(),
    *attacks_gif.attacks(),
    *attacks_tiff.attacks(),
    *attacks_bmp.attacks(),
    *attacks_heif.attacks(),
    *attacks_jxl.attacks(),
    *attacks_metadata.attacks(),
    *attacks_polyglots.attacks(),
    *attacks_damage.attacks(),
    *attacks_regressions.attacks(),
)
BY_NAME: Final[dict[str, Attack]] = {attack.name: attack for attack in ATTACKS}


def by_name(name: str) -> Attack:
    """Return the attack of that name."""
    return BY_NAME[name]
