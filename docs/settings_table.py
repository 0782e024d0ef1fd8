"""Writes the table of settings in docs/deployment.md from jobs/settings.py, between its two markers.

python docs/settings_table.py           writes the table
python docs/settings_table.py --check   exits 1 and says how to regenerate when the table is not current
"""

import sys
from pathlib import Path
from typing import Any

from in_words import between, table
from pydantic.fields import FieldInfo

import jobs
from jobs.settings import PREFIX, Settings

PAGE = Path(__file__).parent / "deployment.md"
PROJECT = Path(jobs.__file__ or "").resolve().parents[1]
COMMAND = "python docs/settings_table.py"
BEGIN = f"<!-- Generated from jobs/settings.py by `{COMMAND}`: begin -->"
END = "<!-- end of the generated table -->"
MIB = 1024 * 1024


def settings_table() -> str:
    """Return one row per setting, in the order of the class: variable, default, meaning."""
    rows = [[f"`{PREFIX}{name.upper()}`", _default(field), _meaning(field)] for name, field in _fields().items()]
    return table(["variable", "default", "meaning"], rows)


def with_table(page: str) -> str:
    """Return the page with the current table between the markers; ValueError when one is missing."""
    return between(page, BEGIN, END, settings_table())


def _fields() -> dict[str, FieldInfo]:
    return Settings.model_fields


def _default(field: FieldInfo) -> str:
    return "must be set" if field.is_required() else _value(field.default)


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Path):
        return f"`{value.resolve().relative_to(PROJECT).as_posix()}`"
    if isinstance(value, int) and value >= MIB and value % MIB == 0:
        return f"`{value}` ({value // MIB} MiB)"
    return f"`{value}`"


def _meaning(field: FieldInfo) -> str:
    return field.description or ""


def main(arguments: list[str]) -> int:
    """Write the table, or compare it with ``--check``; return the exit status."""
    if arguments not in ([], ["--check"]):
        print(f"usage: {COMMAND} [--check]", file=sys.stderr)
        return 2
    page = PAGE.read_text("utf-8")
    current = with_table(page)
    if not arguments:
        PAGE.write_text(current, "utf-8")
    elif page != current:
        print(f"docs/{PAGE.name} is not what jobs/settings.py says; run: {COMMAND}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
