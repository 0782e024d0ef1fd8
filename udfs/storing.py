"""Keeps the stored objects of an image as its newest event wants them: puts what was made, removes what it replaces."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.keys import derivative_key, image_prefix, replaced_keys
from schemas.records import Derivative, ImageEvent, Manifest
from udfs.course import Course
from udfs.imaging import render as imaging
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
        stored = [one.key for one in derivatives]
        await self._remove(replaced_keys(await self._existing(event, course), stored), course)
        return Stored(derivatives, None)

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
            bytes=len(made.data),
            sha256=made.sha256,
        )

    async def _existing(self, event: ImageEvent, course: Course) -> list[str]:
        prefix = image_prefix(event.user_id, event.image_id)
        return await self._patience.ask(course, self._store.list_keys, self._bucket, prefix)

    async def _remove(self, keys: Sequence[str], course: Course) -> None:
        if keys:
            await self._patience.ask(course, self._store.remove, self._bucket, keys)
