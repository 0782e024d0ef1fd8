"""Renders docs/gallery.yaml into docs/gallery.md and the pictures beside it, by the code that the job runs.

python docs/gallery.py           renders the pictures and writes the page
python docs/gallery.py --check   exits 1 when the page, a picture's recipe fingerprint or its size is not current
"""

import io
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageOps
from ruamel.yaml import YAML

from jobs.assets import AssetFolder
from udfs.imaging.presets import Presets, parse_presets
from udfs.imaging.render import Derivative, render

DOCS = Path(__file__).parent
RECIPES = DOCS / "gallery.yaml"
PAGE = DOCS / "gallery.md"
PICTURES = DOCS / "gallery"
SOURCE = PICTURES / "astronaut.jpg"
COMMAND = "python docs/gallery.py"
MAX_BYTES = 1_200_000  # of the page and all pictures together: they are cloned with the code
FOCAL_POINT = (0.82, 0.8)  # the helmet
COLUMNS = 4
GENERATED = re.compile(r".+-[0-9a-f]{12}\.[a-z]+")
PLAIN = ("format", "quality")
BRIEFLY = ("geometry", "width", "height", "gravity")  # the same in all of the last chapter


class Chapter(NamedTuple):
    """One set of the recipes: its title and what there is to see."""

    title: str
    text: str


CHAPTERS = {
    "geometry": Chapter(
        "Geometry",
        "The box is 200x130, or what the recipe says. Nothing is enlarged unless `enlarge: true` asks for it.",
    ),
    "gravity-tall": Chapter(
        "Gravity of a tall crop",
        "What a crop keeps. This one is free to move sideways only. `smart` looks for detail and colour, `face` for "
        f"faces, and `focal` takes the event's focal point, here the helmet at {FOCAL_POINT[0]}, {FOCAL_POINT[1]}.",
    ),
    "gravity-wide": Chapter("Gravity of a wide crop", "This one is free to move up and down only."),
    "turning": Chapter("Rotate and flip", "The picture is turned first and mirrored afterwards."),
    "trimming": Chapter("Trim", "The source here has an even border; `trim` says by how many percent it may differ."),
    "effects": Chapter(
        "Effects",
        "Lengths are in CSS pixels: `dpr` multiplies them. Transparent corners lie on `background` in a jpeg.",
    ),
    "watermarks": Chapter(
        "Watermark",
        "A file beside the presets file. `scale` is the share of the derivative's width; a grey picture stays grey as "
        "long as its watermark is.",
    ),
    "writing": Chapter(
        "Text",
        "Letters become smaller where the text would not fit. The built-in font knows little but ASCII; name a font "
        "file for everything else.",
    ),
    "formats": Chapter("Formats and qualities", "The same 160x160 pixels. `auto` and `source` say what they became."),
}


def rendered(presets: Presets) -> dict[str, list[Derivative]]:
    """Return the derivatives of each chapter, in the order of the recipes.

    Raises:
        RuntimeError: one could not be made.
    """
    return {chapter: list(_made(chapter, presets)) for chapter in CHAPTERS}


def page(chapters: dict[str, list[Derivative]]) -> str:
    """Return the page; sizes in bytes are those of the files that lie beside it."""
    entries = {entry["name"]: entry for entry in YAML(typ="safe").load(RECIPES.read_text("utf-8"))["presets"]}
    lines = [
        "# Gallery",
        "",
        f"<!-- Generated from docs/gallery.yaml by `{COMMAND}` -->",
        f"Every picture was made from [this photograph](gallery/{SOURCE.name}), 512x512, with the keys below it and"
        " `format: webp`, `quality: 80` where they name no other. All keys: [presets.md](presets.md).",
    ]
    for name, derivatives in chapters.items():
        lines += ["", f"## {CHAPTERS[name].title}", "", CHAPTERS[name].text, ""]
        lines += _table([_cell(derivative, entries[derivative.preset.name], name) for derivative in derivatives])
    lines += [
        "",
        "The photograph shows Eileen Collins; NASA, public domain ([source](https://flic.kr/p/r9qvLn)), from"
        " scikit-image 0.25.2, saved as a JPEG. The mark was drawn for this page.",
        "",
    ]
    return "\n".join(lines)


def file_name(derivative: Derivative) -> str:
    """Return the name of a picture; it changes with the recipe."""
    return f"{derivative.preset.name}-{derivative.preset.recipe_fingerprint}.{derivative.extension}"


def problems(chapters: dict[str, list[Derivative]]) -> Iterator[str]:
    """Find what is not current."""
    derivatives = {file_name(one): one for chapter in chapters.values() for one in chapter}
    stored = {path.name for path in PICTURES.iterdir() if GENERATED.fullmatch(path.name)}
    yield from (f"{name} is missing" for name in sorted(derivatives.keys() - stored))
    yield from (f"{name} belongs to no recipe" for name in sorted(stored - derivatives.keys()))
    for name in sorted(derivatives.keys() & stored):
        wanted = derivatives[name].width, derivatives[name].height
        with Image.open(PICTURES / name) as image:
            if image.size != wanted:
                yield f"{name} is {image.size} px and should be {wanted}"
    if derivatives.keys() == stored and (not PAGE.is_file() or PAGE.read_text("utf-8") != page(chapters)):
        yield f"{PAGE.name} is not what the recipes say"


def write(chapters: dict[str, list[Derivative]]) -> int:
    """Write the pictures and the page, and remove pictures of former recipes; return the bytes of all."""
    for path in PICTURES.iterdir():
        if GENERATED.fullmatch(path.name):
            path.unlink()
    for derivative in (one for chapter in chapters.values() for one in chapter):
        (PICTURES / file_name(derivative)).write_bytes(derivative.data)
    PAGE.write_text(page(chapters), "utf-8")
    return sum(path.stat().st_size for path in (PAGE, *PICTURES.iterdir()))


def _made(chapter: str, presets: Presets) -> Iterator[Derivative]:
    source = _bordered() if chapter == "trimming" else SOURCE.read_bytes()
    rendering = render(source, presets.choose([chapter]), focal_point=FOCAL_POINT)
    for failure in rendering.failures:
        message = f"{chapter}: {failure.message}"
        raise RuntimeError(message)
    yield from rendering.derivatives


def _bordered() -> bytes:
    with Image.open(SOURCE) as photograph:
        bordered = ImageOps.expand(photograph.crop((60, 0, 412, 240)), (100, 40, 60, 80), "#efe6d2")
    file = io.BytesIO()
    bordered.save(file, "PNG")
    return file.getvalue()


def _cell(derivative: Derivative, entry: dict[str, object], chapter: str) -> str:
    formats = chapter == "formats"
    hidden = {"name", *(BRIEFLY if formats else ()), *(PLAIN if entry["format"] == "webp" and not formats else ())}
    keys = [f"`{key}: {_flow(value)}`" for key, value in entry.items() if key not in hidden]
    name = file_name(derivative)
    image = f'<img src="gallery/{name}" width="{derivative.width}" alt="{derivative.preset.name}">'
    if formats:
        kilobytes = (PICTURES / name).stat().st_size / 1000
        keys.append(f"{derivative.format}, {kilobytes:.1f} kB")
    return "<br>".join((image, *keys))


def _flow(value: object) -> str:
    file, yaml = io.StringIO(), YAML(typ="safe")
    yaml.default_flow_style = True
    yaml.width, yaml.sort_base_mapping_type_on_output = 1000, False
    yaml.dump(value, file)
    return file.getvalue().replace("...\n", "").strip()


def _table(cells: Sequence[str]) -> list[str]:
    rows = [cells[start : start + COLUMNS] for start in range(0, len(cells), COLUMNS)]
    filled = [[*row, *[""] * (COLUMNS - len(row))] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in filled]
    return [lines[0], "|" + "---|" * COLUMNS, *lines[1:]]


def main(arguments: list[str]) -> int:
    """Write the gallery, or compare it with ``--check``; return the exit status."""
    if arguments not in ([], ["--check"]):
        print(f"usage: {COMMAND} [--check]", file=sys.stderr)
        return 2
    chapters = rendered(parse_presets(RECIPES.read_text("utf-8"), RECIPES.name, AssetFolder(DOCS).read))
    if not arguments:
        size = write(chapters)
        if size > MAX_BYTES:
            print(f"docs/gallery has {size} bytes, {MAX_BYTES} are allowed; show less, or smaller", file=sys.stderr)
        return int(size > MAX_BYTES)
    found = list(problems(chapters))
    for problem in found:
        print(f"docs/gallery: {problem}; run: {COMMAND}", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
