"""The `<picture>` markup of an image, from the manifest that is stored beside its responsive derivatives.

A manifest is believed when it is the one that the status announced.
"""

import hashlib
from urllib.parse import quote, urlsplit

from darkroom.errors import OperatorError, UsageError
from darkroom.ports import Objects
from darkroom.verify.fold import Announced
from udfs.imaging.responsive import Manifest, picture_markup, read_manifest


def markup(manifest: Announced | None, objects: Objects, base_url: str, alt: str) -> str:
    """Return the markup of every responsive entry of an image, each under a comment with its name.

    Addresses are the base and the key of each derivative, encoded for a URL.

    Raises:
        UsageError: the base is not an absolute http(s) address or a path that begins with a slash.
        OperatorError: the image has no manifest, or what is stored is not the one announced.
    """
    base = _checked(base_url)
    if manifest is None:
        message = "this image has no responsive derivatives; publish a REDERIVE with an entry that has widths or dprs"
        raise OperatorError(message)
    pictures = _stored(manifest, objects).pictures

    def address(key: str) -> str:
        return f"{base}/{quote(key, safe='/')}"

    return "\n".join(f"<!-- {name} -->\n{picture_markup(picture, address, alt)}" for name, picture in pictures.items())


def _stored(announced: Announced, objects: Objects) -> Manifest:
    name = f"the manifest {announced.bucket}/{announced.key}"
    data = objects.read(announced.bucket, announced.key)
    if data is None:
        message = f"{name} is not stored; `darkroom verify` tells what is missing"
        raise OperatorError(message)
    if hashlib.sha256(data).hexdigest() != announced.sha256:
        message = f"{name} is not the one that was announced; `darkroom verify` tells what else was changed"
        raise OperatorError(message)
    try:
        return read_manifest(data)
    except ValueError as error:
        message = f"{name} cannot be read, another release may have written it; `darkroom verify` checks what is stored"
        raise OperatorError(message) from error


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url)
    if not (parts.scheme in ("http", "https") and parts.netloc) and not base_url.startswith("/"):
        message = (
            f"--picture {base_url!r} is no address; give where the bucket is served from, "
            "such as https://cdn.example.com/derivatives"
        )
        raise UsageError(message)
    return base_url.rstrip("/")
