"""The `<picture>` markup of an image, from the manifest that is stored beside its responsive derivatives."""

from urllib.parse import quote, urlsplit

from darkroom.errors import OperatorError, UsageError
from darkroom.ports import Objects
from darkroom.verify.fold import Announced
from udfs.imaging.responsive import picture_markup, read_manifest


def markup(manifest: Announced | None, objects: Objects, base_url: str, alt: str) -> str:
    """Return the markup of every responsive entry of an image, each under a comment with its name.

    Addresses are the base and the key of each derivative, encoded for a URL.

    Raises:
        UsageError: the base is not an absolute http(s) address or a path that begins with a slash.
        OperatorError: the image has no manifest, or it is not stored.
    """
    base = _checked(base_url)
    if manifest is None:
        message = "this image has no responsive derivatives; publish a REDERIVE with an entry that has widths or dprs"
        raise OperatorError(message)
    data = objects.read(manifest.bucket, manifest.key)
    if data is None:
        message = (
            f"the manifest {manifest.bucket}/{manifest.key} is not stored; `darkroom verify` tells what is missing"
        )
        raise OperatorError(message)

    def address(key: str) -> str:
        return f"{base}/{quote(key, safe='/')}"

    pictures = read_manifest(data).pictures
    return "\n".join(f"<!-- {name} -->\n{picture_markup(picture, address, alt)}" for name, picture in pictures.items())


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url)
    if not (parts.scheme in ("http", "https") and parts.netloc) and not base_url.startswith("/"):
        message = (
            f"--picture {base_url!r} is no address; give where the bucket is served from, "
            "such as https://cdn.example.com/derivatives"
        )
        raise UsageError(message)
    return base_url.rstrip("/")
