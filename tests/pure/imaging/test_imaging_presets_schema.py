import io
import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from PIL import Image
from ruamel.yaml import YAML

from udfs.imaging.preset import PRESET_MODEL
from udfs.imaging.presets import PresetsError, parse_presets
from udfs.imaging.steps import EFFECTS

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "jobs" / "presets.yaml"
PAGE = ROOT / "docs" / "presets.md"
SCHEMA = json.loads((ROOT / "jobs" / "presets.schema.json").read_text("utf-8"))
GENERATED = ("presets_table.py", "presets_schema.py", "in_words.py", "presets.md")

FILE = """
version: 1
presets:
  - {%s}
sets:
  default: [a]
"""


def a_mark(name):
    file = io.BytesIO()
    Image.new("RGBA", (2, 2), "red").save(file, "PNG")
    return file.getvalue()


def faults_by_schema(text):
    document = YAML(typ="safe", pure=True).load(text)
    return list(jsonschema.Draft7Validator(SCHEMA).iter_errors(document))


def examples():
    """Every block of YAML in the page, as a whole file."""
    for block in re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE):
        if "version: 1\n\npresets:" in block or block.startswith("version: 1"):
            yield block
        else:
            names = re.findall(r"name: ([a-z0-9-]+)", block)
            indented = "".join(f"  {line}\n" for line in block.splitlines())
            yield f"version: 1\npresets:\n{indented}sets:\n  default: [{', '.join(names)}]\n"


def test_the_schema_is_one():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert "$ref" not in json.dumps(SCHEMA)


def test_the_shipped_file_names_it_and_is_valid():
    text = SHIPPED.read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=presets.schema.json\n")
    assert faults_by_schema(text) == []


def test_every_example_of_the_page_is_good_for_both():
    found = list(examples())
    assert len(found) >= 7
    for example in found:
        parse_presets(example, "docs/presets.md", a_mark)
        assert faults_by_schema(example) == []


def test_the_examples_together_use_every_key():
    used = set(re.findall(r"(\w+):", "".join(examples())))
    keys = SCHEMA["properties"]["presets"]["items"]["properties"]
    pictured = {effect.key for effect in EFFECTS}  # docs/gallery.md shows these
    assert set(keys) - used - pictured == set()


def test_every_key_has_a_description_and_the_internal_one_is_not_offered():
    keys = SCHEMA["properties"]["presets"]["items"]["properties"]
    assert set(keys) == set(PRESET_MODEL.model_fields) - {"responsive"} | {"widths", "dprs", "formats", "sizes"}
    assert all(value["description"] for value in keys.values())
    inner = [value for key in ("watermark", "text") for value in keys[key]["properties"].values()]
    assert all(value["description"] for value in inner)


BAD = [
    "name: A, width: 9, format: png",
    "name: a, width: 9, format: bmp",
    "name: a, width: 0, format: png",
    "name: a, width: '9', format: png",
    "name: a, width: null, format: png",
    "name: a, width: 9",
    "name: a, format: png",
    "width: 9, format: png",
    "name: a, width: 9, format: png, heigth: 9",
    "name: a, width: 9, format: png, responsive: {entry: x, descriptor: 2x}",
    "name: a, width: 9, format: jpeg",
    "name: a, width: 9, format: jpeg, quality: 80, target_ssim: 0.9",
    "name: a, width: 9, format: jpeg, quality: {png: 3}",
    "name: a, width: 9, format: png, quality: 80",
    "name: a, width: 9, format: gif, target_ssim: 0.9",
    "name: a, width: 9, format: gif, metadata: all",
    "name: a, width: 9, format: webp, quality: 80, progressive: true",
    "name: a, width: 9, format: jpeg, quality: 80, animation: keep",
    "name: a, width: 9, format: png, geometry: cover",
    "name: a, width: 9, format: png, gravity: north",
    "name: a, width: 9, height: 9, geometry: pad, format: png, gravity: smart",
    "name: a, width: 9, format: png, background: white",
    "name: a, width: 9, format: png, blur: 0",
    "name: a, width: 9, format: png, watermark: {opacity: 0.5}",
    "name: a, width: 9, format: png, watermark: {image: a.png, opacity: 5}",
    "name: a, width: 9, format: png, text: {text: a, colour: red}",
    "name: a, widths: [1], dprs: [1], format: png",
    "name: a, widths: [], format: png",
    "name: a, width: 9, format: png, formats: [png]",
    "name: a, width: 9, format: png, sizes: 50vw",
    "name: a, widths: [1, 1], format: png",
    "name: a, width: 9, dprs: [1, 1], format: png",
    "name: a, width: 9, formats: [png, png]",
    "name: a, widths: [1, 2], format: auto, quality: 80",
    "name: a, width: 9, dprs: [1, 2], format: source, quality: 80",
    "name: a, width: 9, format: png, color_profile: keep, text: {text: a}",
    "name: a, width: 9, format: png, color_profile: keep, grayscale: true",
    "name: a, width: 9, format: png, color_profile: keep, watermark: {image: a.png}",
    "name: a, width: 9, height: 9, format: png, color_profile: keep, geometry: pad",
    "name: a, width: 9, format: jpeg, quality: 80, color_profile: keep, corner_radius: 3",
    'name: a, width: 9, format: png, cache_control: "a\\r\\nb: c"',
]


@pytest.mark.parametrize("entry", BAD)
def test_a_bad_preset_is_refused_by_both(entry):
    text = FILE % entry
    assert faults_by_schema(text)
    with pytest.raises(PresetsError):
        parse_presets(text, "my.yaml", a_mark)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1", "version: 2"),
        ("version: 1\n", ""),
        ("default: [a]", "other: [a]"),
        ("default: [a]", "default: []"),
        ("default: [a]", "default: a"),
        ("sets:\n  default: [a]\n", ""),
        ("default: [a]", "default: [a]\nrules: [{set: default}]"),
        ("default: [a]", "default: [a]\nrules: [{when: {}, set: default}]"),
        ("default: [a]", "default: [a]\nrules: [{when: {attributes: {plan: 3}}, set: default}]"),
        ("default: [a]", "default: [a]\nsizes: []"),
    ],
)
def test_a_bad_file_is_refused_by_both(old, new):
    good = FILE % "name: a, width: 9, format: png"
    assert faults_by_schema(good) == []
    assert old in good
    assert faults_by_schema(good.replace(old, new))
    with pytest.raises(PresetsError):
        parse_presets(good.replace(old, new), "my.yaml")


def generate(folder, *options):
    command = [sys.executable, str(folder / "presets_table.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_table_and_schema_are_current():
    checked = generate(ROOT / "docs", "--check")
    assert checked.returncode == 0, checked.stderr


def test_a_drifted_table_is_told_with_the_command_that_mends_it(tmp_path):
    for name in GENERATED:
        (tmp_path / name).write_bytes((ROOT / "docs" / name).read_bytes())
    page = tmp_path / "presets.md"
    page.write_text(page.read_text("utf-8").replace("| `geometry` |", "| `geom` |"), "utf-8")
    checked = generate(tmp_path, "--check")
    assert (checked.returncode, checked.stderr.count("run: python docs/presets_table.py")) == (1, 1)
