"""The command of this package, see there."""

import argparse
import base64
import io
from html import escape
from pathlib import Path

from PIL import Image

from tests import golden
from tests.golden.cases import Case, cases, difference, difference_picture, opened

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; background: #f6f5f1; color: #23211d; margin: 2rem; }
table { border-collapse: collapse; background: #fff; } th, td { border: 1px solid #dcd9d0; padding: .6rem; }
th { text-align: left; position: sticky; top: 0; background: #fff; } td { vertical-align: top; }
img { max-width: 240px; max-height: 240px; display: block;
      background: repeating-conic-gradient(#ddd 0 25%, #fff 0 50%) 0 0 / 16px 16px; }
.bad { background: #fbe3e3; } code { white-space: pre-wrap; }
"""


def page() -> str:
    """Return the report as one HTML file that needs no other."""
    rows = "\n".join(_row(case) for case in cases())
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Darkroom: golden images</title>
<style>{STYLE}</style>
<h1>Golden images</h1>
<p>Each derivative beside the golden image it is compared with; differences are shown eight times as strong,
a red row is beyond its tolerance.</p>
<table><tr><th>case</th><th>source</th><th>derivative</th><th>golden</th><th>difference</th></tr>
{rows}</table></html>"""


def _row(case: Case) -> str:
    derivative = case.derivative()
    recipe = case.preset.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
    what = f"<b>{escape(case.name)}</b><br><code>{escape(str(recipe))}</code>"
    size = f"{derivative.width}x{derivative.height}, {len(derivative.data)} bytes"
    made = _img(derivative.data, derivative.content_type) + size
    cells = [what, _img(_thumbnail(case.source), "image/webp"), made]
    bad = True
    if case.golden.is_file():
        new, old = opened(derivative.data), opened(case.golden.read_bytes())
        cells.append(_img(case.golden.read_bytes(), "image/webp"))
        if new.size == old.size:
            apart = difference(new, old)
            bad = apart.worst > case.worst_tolerance
            figures = f"mean {apart.mean:.3f}, worst {apart.worst}"
            cells.append(_img(_webp(difference_picture(new, old)), "image/webp") + figures)
    cells += ["none"] * (5 - len(cells))
    return f"<tr class={'bad' if bad else 'good'}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _img(data: bytes, content_type: str) -> str:
    return f'<img alt="" src="data:{content_type};base64,{base64.b64encode(data).decode()}">'


def _thumbnail(source: bytes) -> bytes:
    image = Image.open(io.BytesIO(source))
    image.thumbnail((240, 240))
    return _webp(image)


def _webp(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", lossless=True)
    return file.getvalue()


def update() -> None:
    """Replace every golden image."""
    for case in cases():
        case.golden.parent.mkdir(exist_ok=True)
        case.golden.write_bytes(_webp(opened(case.derivative().data)))


def main() -> None:
    """Write the report, or update."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.golden", description=golden.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("report", nargs="?", type=Path, help="the page to write")
    parser.add_argument("--update", action="store_true", help="replace the golden images")
    arguments = parser.parse_args()
    if arguments.update:
        update()
    elif arguments.report:
        arguments.report.write_text(page(), "utf-8")
        print(f"wrote {arguments.report}; open it in a browser")
    else:
        parser.error("name the page to write, or --update")


if __name__ == "__main__":
    main()
