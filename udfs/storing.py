"""Keeps the stored objects of an image as its newest event wants them: puts what was made, removes what it replaces."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.keys import derivative_key, image_prefix, manifest_key, replaced_keys
from schemas.records import Derivative, ImageEvent, Manifest
from udfs.course import Course
from udfs.imaging import render as imaging
from udfs.imaging import responsive
from udfs.imaging.preset import Preset, Responsive
from udfs.object_store import ObjectStore
from udfs.patience import Patience


@dataclass(frozen=True, slots=True)
class Stored:
    """What one event has in the store."""

    derivatives: tuple[Derivative, ...]
    manifest: Manifest | None


class Storing:
    """Stores the derivatives of events in one bucket."""

    def __init__(self, store: ObjectStore, bucket: str, patience: Patience) -> None:
        self._store = store
        self._bucket = bucket
        self._patience = patience

    async def delete(self, event: ImageEvent, course: Course) -> None:
        """Remove everything of the image."""
        await self._remove(await self._existing(event, course), course)

    async def keep(self, event: ImageEvent, rendering: imaging.Rendering, course: Course) -> Stored:
        """Put every derivative and their manifest, then remove what they replace."""
        provenance = {"x-amz-meta-source-sha256": rendering.source.sha256}
        puts = (self._put(event, made, provenance, course) for made in rendering.derivatives)
        results = await asyncio.gather(*puts, return_exceptions=True)  # all: one that ends later undoes a delete
        for result in results:
            if isinstance(result, BaseException):
                raise result
        derivatives = tuple(result for result in results if isinstance(result, Derivative))
        listed = await self._put_manifest(event, rendering, derivatives, provenance, course)
        stored = [one.key for one in derivatives] + ([listed.key] if listed else [])
        await self._remove(replaced_keys(await self._existing(event, course), stored), course)
        return Stored(derivatives, listed)

    async def _put(
        self, event: ImageEvent, made: imaging.Derivative, provenance: Mapping[str, str], course: Course
    ) -> Derivative:
        preset = made.preset
        key = derivative_key(
            event.user_id, event.image_id, event.version, preset.name, preset.recipe_fingerprint, made.extension
        )
        headers = {
            "Content-Type": made.content_type,
            "x-amz-meta-sha256": made.sha256,
            "x-amz-meta-preset": f"{preset.name}@{preset.version}",
            **provenance,
            **({"Cache-Control": preset.cache_control} if preset.cache_control else {}),
            **({"Content-Disposition": preset.content_disposition} if preset.content_disposition else {}),
        }
        await self._patience.ask(course, self._store.put, self._bucket, key, made.data, headers)
        return Derivative(
            preset=preset.name,
            preset_version=preset.version,
            bucket=self._bucket,
            key=key,
            width=made.width,
            height=made.height,
            format=made.format,
            frames=made.frames,
            bytes=len(made.data),
            sha256=made.sha256,
        )

    async def _put_manifest(
        self,
        event: ImageEvent,
        rendering: imaging.Rendering,
        stored: Sequence[Derivative],
        provenance: Mapping[str, str],
        course: Course,
    ) -> Manifest | None:
        members = [
            (made.preset, _member(made.preset.responsive, one))
            for made, one in zip(rendering.derivatives, stored, strict=True)
            if made.preset.responsive is not None
        ]
        if not members:
            return None
        data = responsive.manifest((member for _, member in members), rendering.signals.blurhash)
        recipe = _recipe([preset for preset, _ in members])
        key = manifest_key(event.user_id, event.image_id, event.version, recipe)
        sha256 = hashlib.sha256(data).hexdigest()
        headers = {"Content-Type": "application/json", "x-amz-meta-sha256": sha256, **provenance}
        await self._patience.ask(course, self._store.put, self._bucket, key, data, headers)
        return Manifest(bucket=self._bucket, key=key, bytes=len(data), sha256=sha256)

    async def _existing(self, event: ImageEvent, course: Course) -> list[str]:
        prefix = image_prefix(event.user_id, event.image_id)
        return await self._patience.ask(course, self._store.list_keys, self._bucket, prefix)

    async def _remove(self, keys: Sequence[str], course: Course) -> None:
        if keys:
            await self._patience.ask(course, self._store.remove, self._bucket, keys)


def _member(place: Responsive, one: Derivative) -> responsive.Stored:
    return responsive.Stored(place, one.key, one.width, one.height, one.format, one.bytes, one.sha256)


def _recipe(presets: Sequence[Preset]) -> str:
    """Return 12 hex digits of the SHA-256 of everything in the presets that changes a manifest's bytes."""
    recipe = sorted((one.name, one.recipe_fingerprint, one.responsive and one.responsive.sizes) for one in presets)
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:12]
