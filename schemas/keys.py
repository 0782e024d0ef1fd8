"""Object keys: from untrusted ids to deterministic keys that no two different ids share."""

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote

MANIFEST = "manifest"  # stands where other keys have a preset's name; no preset may be called so
PART_MAX_BYTES = 200  # four parts stay below S3's 1024 bytes, each below a file system's 255

FINGERPRINT = re.compile("[0-9a-f]{8,64}")  # today's have 12 digits
EXTENSIONS = frozenset({"jpg", "webp", "avif", "png", "gif", "json"})  # of derivatives and of manifests


@dataclass(frozen=True, slots=True)
class DerivativeKey:
    """What the last two parts of a derivative's key say."""

    version: int
    preset: str
    recipe_fingerprint: str


def key_part(text: str) -> str:
    """Encode any text as one key part: 1 to 200 ASCII characters without a slash, injective.

    Percent-encoding as in RFC 3986, with ``~`` and a part of dots encoded too. Text that is empty, or too long
    when encoded, becomes ``~`` and the SHA-256 of its UTF-8 bytes; no encoded text begins with ``~``.
    """
    raw = text.encode("utf-8", "surrogatepass")
    encoded = quote(raw, safe="").replace("~", "%7E")
    if encoded.strip(".") == "":
        encoded = encoded.replace(".", "%2E")
    if encoded and len(encoded) <= PART_MAX_BYTES:
        return encoded
    return "~" + hashlib.sha256(raw).hexdigest()


def image_prefix(user_id: str, image_id: str) -> str:
    """Return the prefix under which every derivative of one image lies, with its final slash."""
    return f"{key_part(user_id)}/{key_part(image_id)}/"


def derivative_key(
    user_id: str, image_id: str, version: int, preset: str, recipe_fingerprint: str, extension: str
) -> str:
    """Return ``user/image/version/preset-recipe.extension``."""
    return f"{image_prefix(user_id, image_id)}{version}/{key_part(preset)}-{recipe_fingerprint}.{extension}"


def manifest_key(user_id: str, image_id: str, version: int, recipe_fingerprint: str) -> str:
    """Return ``user/image/version/manifest-recipe.json``, which is replaced and removed as derivatives are."""
    return derivative_key(user_id, image_id, version, MANIFEST, recipe_fingerprint, "json")


def parse_derivative_key(key: str) -> DerivativeKey:
    """Read the version, the preset's key part and the recipe fingerprint back.

    Raises:
        ValueError: the key was not made by :func:`derivative_key`.
    """
    try:
        _, _, version, name = key.split("/")
        preset, _, tail = name.rpartition("-")
        fingerprint, _, extension = tail.partition(".")
        ours = FINGERPRINT.fullmatch(fingerprint) and extension in EXTENSIONS
        if preset and ours and str(int(version)) == version:
            return DerivativeKey(int(version), preset, fingerprint)
    except ValueError:
        pass
    message = f"{key!r} is not user/image/version/preset-recipe.extension"
    raise ValueError(message)


def replaced_keys(existing: list[str], stored: list[str]) -> list[str]:
    """Return the keys under an image's prefix that newly stored derivatives replace.

    Replaced are all keys of another version, and keys of the same version and preset with another recipe.
    A key that Darkroom did not make is never replaced, and nothing is when nothing was stored.
    """
    new = [parse_derivative_key(key) for key in stored]
    versions = {key.version for key in new}
    presets = {key.preset for key in new}
    return [key for key in existing if new and key not in stored and _is_replaced(key, versions, presets)]


def _is_replaced(key: str, versions: set[int], presets: set[str]) -> bool:
    try:
        old = parse_derivative_key(key)
    except ValueError:
        return False
    return old.version not in versions or old.preset in presets
