"""YAML text in, a mapping that knows its lines out."""

from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from udfs.imaging.errors import PresetsError

MAX_FILE_CHARS: Final = 1024 * 1024
REMEDIES: Final = {
    r"character '\t'": "indent with spaces",
    "expected ',' or '}'": "a brace is not closed, or a # without quotes began a comment",
}


def load(text: str, origin: str) -> dict[str, Any]:
    """Return the document; `origin` is what messages call it.

    Raises:
        PresetsError: the text is too long, no YAML, or not a mapping.
    """
    if len(text) > MAX_FILE_CHARS:
        raise PresetsError([f"{origin}: {len(text)} characters, more than {MAX_FILE_CHARS}"])
    try:
        document = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = " ".join((error.problem or str(error)).split("\n")[0].split())
        problem += next((f"; {remedy}" for cause, remedy in REMEDIES.items() if cause in problem), "")
        raise PresetsError([located(origin, line, f"not valid YAML: {problem}")]) from error
    except YAMLError as error:
        raise PresetsError([f"{origin}: not valid YAML: {' '.join(str(error).split())}"]) from error
    except RecursionError as error:
        raise PresetsError([f"{origin}: not valid YAML: nested too deeply"]) from error
    if not isinstance(document, dict):
        found = "nothing" if document is None else "a list" if isinstance(document, list) else "a value"
        needed = "a mapping with the keys version, presets and sets is needed"
        raise PresetsError([f"{origin}: {needed}, this holds {found}"])
    return document


def located(origin: str, line: int, sentence: str) -> str:
    """Return a sentence with its place; line 0: unknown."""
    return f"{origin}, line {line}: {sentence}" if line else f"{origin}: {sentence}"
