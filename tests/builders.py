"""Values for tests: a valid event and small pictures, each changed by what a test names."""

import io
from datetime import UTC, datetime
from typing import Any

from PIL import Image
from pyflink.common import Row

from schemas.record_codecs import event_codec
from schemas.records import EventKind, ImageEvent, Source
from udfs.developer import DevelopSettings
from udfs.imaging.limits import Limits
from udfs.imaging.presets import parse_presets
from udfs.items import item

SOURCES, DERIVATIVES = "images", "derivatives"

PRESETS = """
version: 1
presets:
  - {name: thumb, version: 3, geometry: cover, width: 16, height: 16, format: jpeg, quality: 80, cache_control: any,
     content_disposition: attachment}
  - {name: wide, geometry: fit, width: 32, format: webp, quality: 80}
  - {name: strip, geometry: fit, height: 8, format: webp, quality: 80}
sets:
  default: [thumb, wide]
"""


def an_event(**changes: Any) -> ImageEvent:
    """An upload of the image `i` of the user `u`; `key` changes the source's key only."""
    key = changes.pop("key", "cat.jpg")
    kind = EventKind(changes.pop("kind", EventKind.UPLOADED))
    fields: dict[str, Any] = {
        "event_id": "e",
        "kind": kind,
        "user_id": "u",
        "image_id": "i",
        "version": 1,
        "source": None if kind is EventKind.DELETED else Source(bucket=SOURCES, key=key),
        "occurred_at": datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    }
    return ImageEvent(**(fields | changes))


def encoded(event: ImageEvent) -> bytes:
    return event_codec().encode(event)


def an_item(event: ImageEvent) -> Row:
    return item(event.user_id, event=encoded(event))


def a_picture(format: str = "JPEG", size: tuple[int, int] = (64, 48), colour: str = "teal") -> bytes:
    """A picture of one colour with a darker corner, as encoded bytes."""
    image = Image.new("RGB", size, colour)
    image.paste(Image.new("RGB", (size[0] // 2, size[1] // 2), "black"))
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


def develop_settings(**changes: Any) -> DevelopSettings:
    fields: dict[str, Any] = {
        "derivatives_bucket": DERIVATIVES,
        "job_version": "9.9.9",
        "presets": parse_presets(PRESETS, "tests/builders.py"),
        "limits": Limits(),
        "images_in_flight": 8,
        "bytes_in_flight": 1024 * 1024,
        "source_buckets": (SOURCES,),
        "source_wait_s": 0,
        "render_processes": 1,
        "render_memory_bytes": 2**30,
        "render_cpu_s": 30,
        "render_timeout_s": 30,
        "storage_patience_s": 30,
    }
    return DevelopSettings(**(fields | changes))
