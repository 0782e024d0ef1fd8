from errno import ENOENT

import pytest

from udfs.imaging.presets import PresetsError, parse_presets

GOOD = """\
version: 1
presets:
  - name: small
    geometry: cover
    width: 256
    height: 256
    format: jpeg
    quality: 80
  - name: large
    geometry: fit
    width: 1280
    format: png
sets:
  default: [small, large]
  tiny: [small]
rules:
  - when: {user: "acme-*"}
    set: tiny
"""


def no_such_file(name):
    raise FileNotFoundError(ENOENT, "No such file or directory", name)


def problems(text, read_asset=no_such_file):
    with pytest.raises(PresetsError) as caught:
        parse_presets(text, "my.yaml", read_asset)
    return caught.value.problems


def with_png(line):
    return ("format: png", f"format: png\n    {line}")


FAULTS = [
    (
        ("width: 256", "width: 0"),
        "line 5: presets[0].width = 0: not allowed; allowed: a whole number of pixels from 1 to 16383",
    ),
    (("width: 256", "width: -1"), "line 5: presets[0].width = -1: not allowed"),
    (("width: 256", "width: 100000"), "line 5: presets[0].width = 100000: not allowed"),
    (("width: 256", "width: '256'"), "line 5: presets[0].width = '256': not allowed"),
    (("width: 256", "width: true"), "line 5: presets[0].width = True: not allowed"),
    (("width: 256", "width: 256.5"), "line 5: presets[0].width = 256.5: not allowed"),
    (("width: 256", "width:"), "line 5: presets[0].width has no value; give one or leave the key out"),
    (("    width: 256\n", ""), "line 3: presets[0].width: cover needs both width and height"),
    (("    width: 1280\n", ""), "line 9: presets[1].width: fit needs width, height or both"),
    (("format: png", "format: bmp"), "line 12: presets[1].format = 'bmp': not allowed; allowed: jpeg, webp, avif, png"),
    (("format: jpeg", "format: jpg"), "line 7: presets[0].format = 'jpg': not allowed; did you mean jpeg? allowed: "),
    (("    format: png\n", ""), "line 9: presets[1].format is missing; allowed: jpeg, webp, avif, png, gif, source"),
    (("geometry: cover", "geometry: cvoer"), "line 4: presets[0].geometry = 'cvoer': not allowed; did you mean cover?"),
    (("    quality: 80\n", ""), "line 3: presets[0].quality: jpeg needs a quality, a target_ssim or max_bytes"),
    (("quality: 80", "quality: 101"), "line 8: presets[0].quality = 101: not allowed; allowed: 1 to 100, or a mapping"),
    (
        ("quality: 80", "quality: {jpeg: 0}"),
        "line 8: presets[0].quality.jpeg = 0: not allowed; allowed: a whole number",
    ),
    (
        ("quality: 80", "quality: {jepg: 80}"),
        "line 8: presets[0].quality.jepg is not a known key; allowed: jpeg, webp, avif",
    ),
    (
        ("quality: 80", "quality: [80]"),
        "line 8: presets[0].quality = [80]: not allowed; allowed: 1 to 100, or a mapping",
    ),
    (with_png("quality: 90"), "line 13: presets[1].quality: does nothing for png; it is for jpeg, webp, avif, source"),
    (with_png("colour: red"), "line 13: presets[1].colour is not a known key; allowed: name, format, widths, dprs"),
    (with_png("heigth: 9"), "line 13: presets[1].heigth is not a known key; did you mean height?"),
    (with_png("responsive: {entry: x}"), "line 13: presets[1].responsive is not a known key; allowed: name,"),
    (with_png("version: 0"), "line 13: presets[1].version = 0: not allowed; allowed: a whole number from 1"),
    (
        with_png('cache_control: "a\\r\\nSet-Cookie: b"'),
        "line 13: presets[1].cache_control = 'a\\r\\nSet-Cookie: b': not",
    ),
    (
        with_png('content_disposition: "inline\\n"'),
        "line 13: presets[1].content_disposition = 'inline\\n': not allowed",
    ),
    (with_png("content_disposition: ä"), "line 13: presets[1].content_disposition = 'ä': not allowed"),
    (with_png('sizes: "100vw"'), "line 13: presets[1].sizes: does nothing without widths"),
    (
        with_png("dprs: [1, x]"),
        "line 13: presets[1].dprs[1] = 'x': not allowed; allowed: a list of device pixel ratios",
    ),
    (with_png("dprs: [1, 2, 1]"), "line 13: presets[1].dprs: names a value twice"),
    (with_png("blur: strong"), "line 13: presets[1].blur = 'strong': not allowed; allowed: 0.1 to 100 px"),
    (with_png("sharpen: {amout: 9}"), "line 13: presets[1].sharpen.amout is not a known key; did you mean amount?"),
    (with_png("sharpen: {amount: 0}"), "line 13: presets[1].sharpen.amount = 0: not allowed; allowed: a whole number"),
    (with_png("watermark: {}"), "line 13: presets[1].watermark.image is missing; allowed: a png, webp or jpeg"),
    (
        with_png("watermark:\n      image: logo.png\n      opacity: 7"),
        "line 15: presets[1].watermark.opacity = 7: not allowed; allowed: above 0 to 1",
    ),
    (
        with_png("watermark:\n      image: logo.png"),
        "line 14: presets[1].watermark.image = 'logo.png': cannot be read: No such file or directory",
    ),
    (("name: large", "name: ../large"), "line 9: presets[1].name = '../large': not allowed; allowed: 1 to 63 of a-z"),
    (("name: large", "name: small"), "line 3: presets[0].name = 'small': used 2 times; a name is unique among"),
    (("name: large", "name: small"), "line 9: presets[1].name = 'small': used 2 times"),
    (("tiny:", "small:"), "line 15: sets.small: used 2 times; a name is unique among presets"),
    (
        ("    width: 1280\n", "    width: 1280\n    width: 640\n"),
        'line 12: not valid YAML: found duplicate key "width"',
    ),
    (("[small]", "[smal]"), "line 15: sets.tiny[0] = 'smal': no such preset; did you mean small?"),
    (("[small]", "[other]"), "line 15: sets.tiny[0] = 'other': no such preset; defined: large, small"),
    (
        ("[small]", "[default]"),
        "line 15: sets.tiny[0] = 'default': is a set; a set lists presets and responsive entries",
    ),
    (("[small]", "[]"), "line 15: sets.tiny = []: a set lists at least one preset"),
    (("[small]", "[3]"), "line 15: sets.tiny[0] = 3: not allowed; allowed: named lists of presets"),
    (("  default: [small, large]\n", ""), "line 13: sets.default is missing"),
    (("set: tiny", "set: tyni"), "line 18: rules[0].set = 'tyni': no such set; defined: default and tiny"),
    (("set: tiny", "set: tinyy"), "line 18: rules[0].set = 'tinyy': no such set; did you mean tiny?"),
    (("    set: tiny\n", ""), "line 17: rules[0].set is missing; allowed: the name of a set"),
    (("user:", "usre:"), "line 17: rules[0].when.usre is not a known key; allowed: user, attributes"),
    (('{user: "acme-*"}', "{}"), "line 17: rules[0].when = {}: needs user, attributes or both"),
    (
        ('user: "acme-*"', "attributes: {plan: 3}"),
        "line 17: rules[0].when.attributes.plan = 3: not allowed; allowed: 1 to",
    ),
    (('"acme-*"', f'"{"a" * 201}"'), "line 17: rules[0].when.user = 'aaaa"),
    (
        ("rules:\n", 'rules:\n  - {when: {user: "*"}, set: tiny}\n'),
        "line 18: rules[1] is never reached: what matches it matches rules[0]",
    ),
    (
        ("rules:\n", 'rules:\n  - {when: {user: "acme-*"}, set: default}\n'),
        "line 18: rules[1] is never reached: what matches it matches rules[0]",
    ),
    (("version: 1\n", "version: 2\n"), "line 1: version = 2: not allowed; allowed: 1"),
    (("version: 1\n", ""), ": version is missing; allowed: 1"),
    (("version: 1\n", "version: 1\nextra: 1\n"), "line 2: extra is not a known key; allowed: version, presets, sets"),
    (
        ("  - name: large", "  - large\n  - name: large"),
        "presets[1] = 'large': not allowed; allowed: a mapping with the keys",
    ),
]


@pytest.mark.parametrize(("change", "expected"), FAULTS, ids=[expected for _, expected in FAULTS])
def test_each_fault_is_told_with_line_key_value_and_what_is_allowed(change, expected):
    old, new = change
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    assert any(expected in problem for problem in found), found
    assert all(problem.startswith("my.yaml") for problem in found)


def test_the_file_they_are_changes_of_is_good():
    parse_presets(GOOD, "my.yaml")


@pytest.mark.parametrize(
    "change",
    [
        with_png("sharpen: strong"),
        with_png("heigth: 9"),
        with_png("background:"),
        ("width: 256", "width:"),
        ("format: jpeg", "format:"),
        with_png("watermark: {image: logo.png}"),
        ("quality: 80", "quality: {jpeg: 0}"),
        ("quality: 80", "quality: x"),
        ("format: jpeg", "format: jpg"),
        ("    width: 1280\n", "    widht: 1280\n"),
        ("[small]", "[other]"),
    ],
)
def test_one_fault_is_one_problem(change):
    assert len(problems(GOOD.replace(*change, 1))) == 1


def test_all_problems_are_told_together_in_the_order_of_the_file():
    found = problems(
        GOOD.replace("width: 256", "width: 0")
        .replace("format: png", "gravity: smart\n    format: pgn")
        .replace("[small]", "[none]")
        .replace("version: 1", "version: 3")
        .replace("set: tiny", "set: huge")
    )
    lines = [int(problem.split("line ")[1].split(":")[0]) for problem in found]
    assert lines == [1, 5, 12, 13, 16, 19]
    assert "smart does nothing for fit" in found[2]  # found although the same preset has a wrong value too


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- b\n", "just words", "42"])
def test_a_file_of_another_shape(text):
    (problem,) = problems(text)
    assert problem.startswith("my.yaml: a mapping with the keys version, presets and sets is needed, this holds ")


@pytest.mark.parametrize("text", ["a: [1,\n", "a: b: c", "\tx: 1", "key: !unknown {", "\x00", "a: *none", "[" * 1_000])
def test_a_file_that_is_not_yaml(text):
    (problem,) = problems(text)
    assert problem.startswith("my.yaml")
    assert "not valid YAML" in problem


def test_a_file_of_a_megabyte():
    (problem,) = problems("#" * 1_048_577)
    assert problem == "my.yaml: 1048577 characters, more than 1048576"


@pytest.mark.parametrize("text", ["version: 1\npresets: 3\nsets: 4\n", "version: 1\npresets: []\nsets: {default: x}\n"])
def test_wrong_types_in_the_large(text):
    assert len(problems(text)) >= 2


def test_more_presets_than_an_event_may_ask_for():
    entries = "\n".join(f"  - {{name: p{n}, widths: {list(range(1, 65))}, format: png}}" for n in range(4))
    file = f"version: 1\npresets:\n{entries}\n  - {{name: one, width: 1, format: png}}\nsets: {{default: [one]}}\n"
    (problem,) = problems(file)
    assert problem == "my.yaml, line 2: presets: 257 with those that entries become, more than 256"
    parse_presets(file.replace(", 64]", "]", 1), "my.yaml")
