"""What has to be stored in the end, told from the statuses alone, and whether it is, byte by byte."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import pyvips

from darkroom.parallel import parallel_map
from darkroom.ports import Objects
from schemas.keys import image_prefix
from schemas.reasons import Reason
from schemas.records import Derivative, Outcome
from tests.chaos.judging import ImageName
from tests.chaos.model import READY, Expected
from tests.chaos.observed import SeenStatus
from tests.chaos.verdict import Kind, Verdict

READING_THREADS = 8
LOADERS = {"jpeg": "jpegload", "webp": "webpload", "png": "pngload"}

Ended = tuple[Expected, SeenStatus]


@dataclass(slots=True)
class Shelf:
    """What one image has in the store, by preset; uncertain when an earlier attempt may have left something else."""

    version: int | None = None
    derivatives: dict[str, Derivative] = field(default_factory=dict)
    uncertain: bool = False

    @classmethod
    def after(cls, ends: Iterable[Ended]) -> "Shelf":
        """Return the shelf of an image after its events, given in their order."""
        shelf = cls()
        for expected, status in ends:
            if status.outcome is Outcome.DELETED:
                shelf = cls()
            elif status.outcome in (Outcome.READY, Outcome.PARTIAL) and status.derivatives:
                if status.version != shelf.version:
                    shelf = cls(status.version)
                shelf.derivatives.update((one.preset, one) for one in status.derivatives)
            elif status.reason is Reason.SOURCE_CHANGED and READY in expected.ends:
                shelf.uncertain = True  # replaced in place between an attempt that a crash undid and its repetition
        return shelf


def judge_objects(
    verdict: Verdict,
    settled: Mapping[ImageName, list[Ended]],
    unsettled: set[ImageName],
    objects: Objects,
    bucket: str,
) -> None:
    """Compare the bucket with what has to be in it; images with an event that has no status are not judged."""
    shelves = {image: Shelf.after(ends) for image, ends in settled.items() if image not in unsettled}
    certain = [shelf for shelf in shelves.values() if not shelf.uncertain]
    right = {one.key: one for shelf in certain for one in shelf.derivatives.values()}
    undecided = {image_prefix(*image) for image in unsettled}
    undecided |= {image_prefix(*image) for image, shelf in shelves.items() if shelf.uncertain}
    found: set[str] = set()
    for stored in objects.list(bucket):
        verdict.objects += 1
        found.add(stored.key)
        if stored.key not in right and "/".join(stored.key.split("/")[:2]) + "/" not in undecided:
            verdict.add(Kind.ORPHANED, f"{stored.key} is stored, and no status that holds names it")
    for key in sorted(right.keys() - found):
        verdict.add(Kind.LOST, f"{key} is not stored, and the newest status of its image names it")
    checked = (one for key, one in right.items() if key in found)
    for one, problem in parallel_map(_checking(objects, bucket), checked, READING_THREADS):
        if problem is not None:
            verdict.add(Kind.CORRUPT, f"{one.key}: {problem}")


def _checking(objects: Objects, bucket: str) -> Callable[[Derivative], tuple[Derivative, str | None]]:
    decoded: dict[tuple[str, int, int, str], str | None] = {}

    def check(one: Derivative) -> tuple[Derivative, str | None]:
        data = objects.read(bucket, one.key)
        if data is None:
            return one, "vanished while it was looked at"
        if one.bucket != bucket:
            return one, f"announced in the bucket {one.bucket}"
        sha256 = hashlib.sha256(data).hexdigest()
        if (sha256, len(data)) != (one.sha256, one.bytes):
            return one, f"{len(data)} bytes with SHA-256 {sha256}; its status says {one.bytes} and {one.sha256}"
        name = (sha256, one.width, one.height, one.format)
        if name not in decoded:
            decoded[name] = _picture_problem(data, one)
        return one, decoded[name]

    return check


def _picture_problem(data: bytes, one: Derivative) -> str | None:
    try:
        picture = pyvips.Image.new_from_buffer(data, "", fail_on="truncated")
        picture.avg()  # decodes to the end
    except pyvips.Error as error:
        return f"libvips cannot read it: {error}"
    loader = picture.get("vips-loader").removesuffix("_buffer")
    told = (picture.width, picture.height, loader)
    right = (one.width, one.height, LOADERS.get(one.format))
    return None if told == right else f"libvips reads {told}; its status says {right}"
