"""Everyone ready to work: the job on the stack, the peers beside it, and photographs that all of them may read."""

import io
import json
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from own_place import own_place, running_job

from darkroom.storage import connect
from darkroom.target import Target, resolve_target
from peer.imgproxy import imgproxy
from peer.job import following
from peer.peer import Peer, Place
from peer.pyvips import pyvips
from peer.sharp import sharp
from peer.thumbor import thumbor


@dataclass(frozen=True, slots=True)
class Stage:
    """The job first, then its peers; the keys of the photographs, in the order of the files."""

    peers: Sequence[Peer]
    keys: Sequence[str]


@contextmanager
def staged(photographs: Sequence[Path], presets_file: Path, interval: str) -> Iterator[Stage]:
    """Upload the photographs, start everyone on a place of its own, and end and delete it all."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="darkroom-peers-")))
        own = stack.enter_context(own_place(f"peers-{uuid.uuid4().hex[:8]}"))
        environment = {**own, "DARKROOM_PRESETS_FILE": str(presets_file)}
        target = resolve_target(environment)
        keys = _upload(target, photographs)
        place = Place(target.s3_endpoint, target.s3_region, target.buckets.images, target.buckets.images)
        stack.enter_context(running_job(target, environment, interval))
        peers: list[Peer | None] = [
            stack.enter_context(following(target)),
            stack.enter_context(thumbor(place, folder)),
            stack.enter_context(pyvips(place, folder)),
            stack.enter_context(sharp(place, target, folder)),
            stack.enter_context(imgproxy(place, folder)),
        ]
        yield Stage([peer for peer in peers if peer is not None], keys)


def _upload(target: Target, photographs: Sequence[Path]) -> list[str]:
    """Store the photographs where anyone may read them: the image servers fetch sources by plain HTTP."""
    store, bucket = connect(target), target.buckets.images
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    store.set_bucket_policy(bucket, json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    keys = [f"photograph-{number:03}.jpg" for number, _ in enumerate(photographs)]
    for key, path in zip(keys, photographs, strict=True):
        data = path.read_bytes()
        store.put_object(bucket, key, io.BytesIO(data), len(data), content_type="image/jpeg")
    return keys
