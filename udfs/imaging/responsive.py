"""The manifest of an image's responsive entries, and the `<picture>` markup that a page makes of it.

Derivatives whose source was too small for their size are as wide as the source: descriptors are made from true widths,
and of several with the same width one is kept. A browser takes the first format it can show, whatever sizes it has: a
format that lacks one of the sizes is left out.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from udfs.imaging.preset import NAME_PATTERN, Responsive

# A browser takes the first source it can show: the smaller format first, the one that every browser shows last.
FORMAT_ORDER: Final = ("avif", "webp", "gif", "png", "jpeg")
TOLERANCE: Final = 0.02  # a pixel ratio that differs by less from the one asked for is only rounded to whole pixels


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored derivative of a responsive entry; `width` and `height` are its true pixels, `sha256` is in hex."""

    responsive: Responsive
    key: str
    width: int
    height: int
    format: str
    bytes: int
    sha256: str


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")  # a newer writer may say more


class Candidate(_Model):
    """One image of a srcset."""

    key: str
    descriptor: str
    width: int
    height: int
    bytes: int
    sha256: str


class Source(_Model):
    """The images of one format, the smallest first."""

    type: str
    srcset: tuple[Candidate, ...]


class Fallback(Source):
    """The images for a browser that shows none of the other formats; `src` is the key for the oldest ones.

    `width` and `height` are the attributes of the `<img>`, in CSS pixels.
    """

    src: str
    width: int
    height: int


class Picture(_Model):
    """What one responsive entry became: `sources` in the order of a `<picture>`, then its `<img>`."""

    sizes: str | None = None
    sources: tuple[Source, ...]
    img: Fallback


class Manifest(_Model):
    """Every responsive entry of one image by name."""

    version: Literal[1] = 1
    blurhash: str | None = None
    pictures: dict[Annotated[str, Field(pattern=NAME_PATTERN)], Picture]


def manifest(derivatives: Iterable[Stored], blurhash: str | None = None) -> bytes:
    """Return the manifest of one image as JSON; the same derivatives, in any order, give the same bytes."""
    by_entry: dict[str, list[Stored]] = defaultdict(list)
    for derivative in derivatives:
        by_entry[derivative.responsive.entry].append(derivative)
    pictures = {entry: _picture(by_entry[entry]) for entry in sorted(by_entry)}
    whole = Manifest(blurhash=blurhash, pictures=pictures)
    return whole.model_dump_json(exclude_none=True, indent=1).encode() + b"\n"


def read_manifest(data: bytes) -> Manifest:
    """Return the manifest that was stored.

    Raises:
        ValueError: these are not the bytes of a manifest.
    """
    return Manifest.model_validate_json(data)


def picture_markup(picture: Picture, url: Callable[[str], str], alt: str) -> str:
    """Return HTML that shows a picture; `url` gives the address of an object key. Everything is escaped."""
    sizes = f' sizes="{escape(picture.sizes)}"' if picture.sizes else ""
    img = picture.img
    lines = [
        f'  <source type="{escape(source.type)}" srcset="{_srcset(source, url)}"{sizes}>' for source in picture.sources
    ]
    lines.append(
        f'  <img src="{escape(_address(img.src, url))}" srcset="{_srcset(img, url)}"{sizes} width="{img.width}"'
        f' height="{img.height}" alt="{escape(alt)}" loading="lazy" decoding="async">'
    )
    return "\n".join(["<picture>", *lines, "</picture>"])


def _picture(derivatives: Sequence[Stored]) -> Picture:
    by_format: dict[str, list[Stored]] = defaultdict(list)
    for derivative in derivatives:
        by_format[derivative.format].append(derivative)
    *first, last = sorted(_complete(by_format), key=FORMAT_ORDER.index)
    return Picture(
        sizes=min(derivatives, key=lambda derivative: derivative.key).responsive.sizes,
        sources=tuple(_source(by_format[format], format) for format in first),
        img=_fallback(_source(by_format[last], last)),
    )


def _complete(by_format: Mapping[str, Sequence[Stored]]) -> Sequence[str]:
    """Return the formats that have every size of the fullest; of several that are as full, the last in the order."""
    sizes = {format: {one.responsive.descriptor for one in members} for format, members in by_format.items()}
    fullest = max(sizes, key=lambda format: (len(sizes[format]), FORMAT_ORDER.index(format)))
    return [format for format in sizes if sizes[format] >= sizes[fullest]]


def _source(derivatives: Iterable[Stored], format: str) -> Source:
    asked = sorted(derivatives, key=lambda derivative: (_number(derivative.responsive.descriptor), derivative.key))
    different: dict[int, Stored] = {}
    for derivative in asked:
        different.setdefault(derivative.width, derivative)
    smallest = asked[0]
    candidates = (_candidate(different[width], smallest) for width in sorted(different))
    return Source(type=f"image/{format}", srcset=tuple(candidates))


def _candidate(derivative: Stored, smallest: Stored) -> Candidate:
    return Candidate(
        key=derivative.key,
        descriptor=_true_descriptor(derivative, smallest),
        width=derivative.width,
        height=derivative.height,
        bytes=derivative.bytes,
        sha256=derivative.sha256,
    )


def _true_descriptor(derivative: Stored, smallest: Stored) -> str:
    """Return the width, or how many pixels it has for one of CSS when the smallest has what was asked for."""
    asked = derivative.responsive.descriptor
    if asked.endswith("w"):
        return f"{derivative.width}w"
    true = _number(smallest.responsive.descriptor) * derivative.width / smallest.width
    return asked if abs(true - _number(asked)) <= TOLERANCE * _number(asked) else f"{true:.2f}x"


def _fallback(source: Source) -> Fallback:
    """Choose what old browsers get: the middle width, or the lowest pixel ratio."""
    by_width = source.srcset[0].descriptor.endswith("w")
    chosen = source.srcset[len(source.srcset) // 2 if by_width else 0]
    ratio = 1 if by_width else _number(chosen.descriptor)
    width, height = (max(1, round(side / ratio)) for side in (chosen.width, chosen.height))
    return Fallback(type=source.type, srcset=source.srcset, src=chosen.key, width=width, height=height)


def _number(descriptor: str) -> float:
    return float(descriptor[:-1])


def _srcset(source: Source, url: Callable[[str], str]) -> str:
    return escape(", ".join(f"{_address(image.key, url)} {image.descriptor}" for image in source.srcset))


def _address(key: str, url: Callable[[str], str]) -> str:
    """Return the address in a form that a srcset can hold: it ends at white space, and at a comma before that."""
    address = "".join("%20" if character.isspace() else character for character in url(key))
    return f"{address[:-1]}%2C" if address.endswith(",") else address
