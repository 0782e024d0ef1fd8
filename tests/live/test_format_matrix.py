"""Every format that is read x every preset that ships, on the running job, with libvips as the referee."""

from collections import Counter
from typing import Any

import pytest
import pyvips

from darkroom.storage import connect
from jobs.settings import DEFAULT_PRESETS
from schemas.records import Derivative, ImageStatus, Outcome
from tests.format_sources import CASES, animation
from tests.live_stack import PHOTOS, Scenario, event, eventually
from udfs.imaging.presets import parse_presets

pytestmark = pytest.mark.timeout(1200)

LOADERS = {"jpeg": "jpegload", "webp": "webpload", "avif": "heifload", "png": "pngload", "gif": "gifload"}
PHOTOGRAPHS = ("rocket.jpg", "flower.jpg", "camera.png", "brick.png")


def sources() -> dict[str, bytes]:
    """Return at least 60 different sources by image id."""
    found = {case.name.replace(" ", "-"): case.source() for case in CASES}
    found |= {name: (PHOTOS / name).read_bytes() for name in PHOTOGRAPHS}
    return found | {f"animated.{format.lower()}": animation(format) for format in ("GIF", "WEBP", "PNG", "AVIF")}


def every_preset() -> tuple[str, ...]:
    return tuple(parse_presets(DEFAULT_PRESETS.read_text(), DEFAULT_PRESETS.name).by_name)


def as_libvips_reads(data: bytes) -> tuple[str, int, int, int]:
    """Return loader, width, height of a frame and number of frames; every pixel of the first is decoded."""
    image = pyvips.Image.new_from_buffer(data, "")
    image.avg()
    pages = image.get("n-pages") if "n-pages" in image.get_fields() else 1
    return image.get("vips-loader").removesuffix("_buffer"), image.width, image.height, pages


def test_every_source_ends_in_one_outcome_and_every_object_is_what_its_status_says(scenario: Scenario) -> None:
    images, presets = sources(), every_preset()
    assert len(images) >= 60
    scenario.submit()
    asked: dict[str, str] = {}
    with scenario.publisher() as publisher:
        for name, data in images.items():
            upload = event(
                name, publisher.upload("anna", name, data, 1), user_id=f"user-{len(asked) % 7}", presets=presets
            )
            publisher.event(upload)
            asked[upload.event_id] = name

    found: list[ImageStatus] = []

    def all_told() -> bool:
        found[:] = scenario.statuses()
        return {status.event_id for status in found} >= asked.keys()

    eventually(all_told, f"{len(asked)} statuses", lambda: len(found), limit_s=900, every_s=2)
    assert Counter(status.event_id for status in found) == Counter(asked.keys())
    unready = {asked[status.event_id]: status.failures for status in found if status.outcome is not Outcome.READY}
    assert unready == {}
    assert {status.event_id: len(status.derivatives) for status in found} == dict.fromkeys(asked, len(presets))
    assert all(status.manifest and status.signals and status.source for status in found)

    wrong = [said for status in found for one in status.derivatives if (said := disagreement(scenario, one))]
    assert wrong == []
    figures: dict[str, Any] = scenario.verify()
    assert (figures["lost"], figures["duplicated"], figures["orphaned"], figures["corrupt"]) == (0, 0, 0, 0)


def disagreement(scenario: Scenario, one: Derivative) -> str | None:
    """Return how the stored object differs from what was announced, None when libvips agrees."""
    response = connect(scenario.target).get_object(one.bucket, one.key)
    try:
        read = as_libvips_reads(response.read())
    finally:
        response.close()
        response.release_conn()
    announced = (LOADERS[one.format], one.width, one.height, one.frames)
    return None if read == announced else f"{one.key}: announced {announced}, libvips reads {read}"
