"""Prints the newest complete checkpoint or savepoint in the store as a path for `flink run`; nothing if there is none."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from minio import Minio
from minio.credentials import AWSConfigProvider
from minio.datatypes import Object

from darkroom.target import Target, resolve_target

COMPLETE = "/_metadata"  # Flink writes it last


def newest_state(objects: Iterable[Object]) -> str | None:
    """Return the key of the folder whose metadata was written last."""
    complete = [found for found in objects if (found.object_name or "").endswith(COMPLETE) and found.last_modified]
    if not complete:
        return None
    newest = max(complete, key=lambda found: (found.last_modified, found.object_name))
    return str(newest.object_name).removesuffix(COMPLETE)


def states_in(target: Target) -> Iterable[Object]:
    """Return every object of the bucket that Flink keeps its state in."""
    address = urlsplit(target.s3_endpoint)
    client = Minio(
        endpoint=address.netloc,
        secure=address.scheme == "https",
        region=target.s3_region,
        credentials=AWSConfigProvider(str(target.credentials_file), "default"),
    )
    return client.list_objects(bucket_name=target.buckets.flink, recursive=True)


if __name__ == "__main__":
    here = resolve_target()
    if state := newest_state(states_in(here)):
        print(f"s3://{here.buckets.flink}/{state}")
