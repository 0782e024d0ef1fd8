import ast
import re
from functools import cache
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "comparison.md"
SYSTEMS = ["Darkroom", "imgproxy", "thumbor", "imagor", "Cloudinary", "Transloadit", "Firebase", "AWS"]
HEADER = ["feature", *SYSTEMS, "sources", "proof"]
MUST_HAVE = [
    "HEIC in",
    "EXIF orientation applied, all eight",
    "Pixels limited before anything is decoded",
    "Decoders are an explicit list",
    "Named presets, each with its own geometry",
    "Gravity: nine compass points",
    "Smart crop by content",
    "ICC profiles converted to sRGB",
    "WebP and AVIF out",
    "Encoder effort chosen and bounded",
    "Byte budget: the best quality that fits",
    "Watermark: position, opacity, scale",
    "Animation kept, timing and loops too",
    "Caps on frames and on the pixels of all frames",
    "Metadata stripped",
    "Blurhash",
    "Thumbhash",
    "Palette",
    "Perceptual hash",
    "Cache-Control for each preset",
]
YES, NO, STATED, SIGNS = "✓", "✗", set("✓~$✗"), set("✓~$✗?·")


def cells(line):
    return [cell.strip() for cell in line.strip("|").split(" | ")]


@cache
def lines():
    return PAGE.read_text("utf-8").splitlines()


@cache
def rows():
    """The rows of every table that compares: feature, a sign for each system, sources, proof."""
    tables = [cells(line) for line in lines() if line.startswith("| ") and len(cells(line)) == len(HEADER)]
    return [row for row in tables if row != HEADER]


def proofs(row):
    return re.findall(r"\[`(\w+)`\]\(([^)]+)\)", row[-1])


@cache
def functions(path):
    return {node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}


@cache
def sources():
    numbered = (re.fullmatch(r"(\d+)\. \[.+\]\((https://\S+)\), seen \d{4}-\d\d-\d\d", line) for line in lines())
    return {match[1]: match[2] for match in numbered if match}


def test_every_row_of_a_table_is_read():
    bordered = [line for line in lines() if line.count("|") > len(HEADER)]
    assert len(rows()) == len([line for line in bordered if not line.startswith("|---") and cells(line) != HEADER])
    assert len(rows()) > 70


def test_every_must_have_is_there_and_yes():
    assert [row[0].strip("*") for row in rows() if row[0].startswith("**")] == MUST_HAVE
    assert {row[1] for row in rows() if row[0].startswith("**")} == {YES}


def test_every_row_has_a_sign_for_every_system():
    assert {sign for row in rows() for sign in row[1:9]} <= SIGNS
    assert {row[1] for row in rows()} == {YES, NO}


def test_every_yes_is_proven():
    assert [row[0] for row in rows() if row[1] == YES and not proofs(row)] == []


@pytest.mark.parametrize(("name", "link"), sorted({proof for row in rows() for proof in proofs(row)}))
def test_every_proof_is_a_test_that_exists(name, link):
    assert name.startswith("test_")
    assert name in functions((PAGE.parent / link).resolve())


def test_what_is_said_of_others_has_a_source():
    unsourced = [row[0] for row in rows() if STATED & set(row[2:9]) and not row[9]]
    assert unsourced == []


def test_sources_are_numbered_from_one_and_each_is_used():
    used = {number for row in rows() for number in row[9].split()}
    assert list(sources()) == [str(number) for number in range(1, len(sources()) + 1)]
    assert used == set(sources())
