"""The schemas of producers that write events with one of their own."""

import os
from pathlib import Path

from darkroom.errors import UsageError
from schemas.codec import Schema, load_folder
from schemas.errors import SchemaFolderError


def writer_schemas() -> list[Schema]:
    """Return the schemas in the folder named by DARKROOM_SCHEMAS_DIR, the same that the job is given.

    Raises:
        UsageError: there is no such folder, or a file in it is no schema.
    """
    folder = os.environ.get("DARKROOM_SCHEMAS_DIR")
    try:
        return load_folder(Path(folder)) if folder else []
    except SchemaFolderError as error:
        raise UsageError(str(error)) from error
