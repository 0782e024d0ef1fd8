"""The gallery shows every key it should, and its check sees what is not current."""

import importlib.util
import shutil
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from udfs.imaging.parameters import Compass
from udfs.imaging.preset import PRESET_MODEL
from udfs.imaging.presets import parse_presets
from udfs.imaging.steps import EFFECTS

GALLERY = Path(__file__).parents[3] / "docs" / "gallery.py"


@pytest.fixture
def gallery(monkeypatch, tmp_path):
    """The generator, at work on a copy of what it made."""
    spec = importlib.util.spec_from_file_location("gallery", GALLERY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shutil.copytree(module.PICTURES, tmp_path / "gallery")
    for name in ("PAGE", "RECIPES"):
        shutil.copy(getattr(module, name), tmp_path)
        monkeypatch.setattr(module, name, tmp_path / getattr(module, name).name)
    monkeypatch.setattr(module, "PICTURES", tmp_path / "gallery")
    return module


def test_every_geometry_gravity_turn_and_effect_has_a_picture(gallery):
    presets = parse_presets(
        gallery.RECIPES.read_text("utf-8"), "gallery.yaml", gallery.AssetFolder(GALLERY.parent).read
    )
    shown = [presets.by_name[name] for chapter in gallery.CHAPTERS for name in presets.sets[chapter]]
    for key in ("geometry", "gravity", "rotate", "flip", "format"):
        allowed = set(_choices(PRESET_MODEL.model_fields[key].annotation))
        assert {getattr(preset, key) for preset in shown} >= allowed, key
    assert {effect.key for effect in EFFECTS} <= {key for preset in shown for key, _ in preset.effects}
    assert {preset.watermark.position for preset in shown if preset.watermark} == set(get_args(Compass))
    assert {preset.name for preset in shown} == presets.by_name.keys()


def test_the_check_sees_each_way_of_not_being_current(gallery, capsys):
    presets = parse_presets(
        gallery.RECIPES.read_text("utf-8"), "gallery.yaml", gallery.AssetFolder(GALLERY.parent).read
    )
    chapters = gallery.rendered(presets)
    assert list(gallery.problems(chapters)) == []
    picture = next(gallery.PICTURES.glob("blur-*.webp"))
    Image.new("RGB", (9, 9)).save(picture)
    assert list(gallery.problems(chapters)) == [f"{picture.name} is (9, 9) px and should be (200, 200)"]
    picture.rename(picture.with_name("blur-0123456789ab.webp"))
    assert list(gallery.problems(chapters)) == [
        f"{picture.name} is missing",
        "blur-0123456789ab.webp belongs to no recipe",
    ]
    gallery.write(chapters)
    assert list(gallery.problems(chapters)) == []
    gallery.PAGE.write_text(gallery.PAGE.read_text("utf-8").replace("blur: 3", "blur: 4"), "utf-8")
    assert list(gallery.problems(chapters)) == ["gallery.md is not what the recipes say"]
    assert gallery.main(["--check"]) == 1
    assert "gallery.md is not what the recipes say; run: python docs/gallery.py" in capsys.readouterr().err


def _choices(annotation):
    for choice in get_args(annotation) or (annotation,):
        yield from _choices(choice) if get_args(choice) else [choice] if choice is not type(None) else []
