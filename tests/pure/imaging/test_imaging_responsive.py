import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.imaging.preset import Responsive
from udfs.imaging.responsive import Stored, manifest, picture_markup, read_manifest

SIZES = "(min-width: 60em) 50vw, 100vw"


def stored(format, descriptor, width, height=None, entry="hero", sizes=SIZES):
    key = f"ada/cat/1/{entry}-{descriptor}-{format}-0123456789ab.{format}"
    return Stored(
        responsive=Responsive(entry=entry, descriptor=descriptor, sizes=sizes),
        key=key,
        width=width,
        height=height or width * 2 // 3,
        format=format,
        bytes=width * 10,
        sha256="ab" * 32,
    )


def hero(source_width=4000):
    """What the widths 320, 640 and 1280 in three formats become of a source that is not enlarged."""
    return [
        stored(format, f"{width}w", min(width, source_width))
        for width in (320, 640, 1280)
        for format in ("jpeg", "avif", "webp")
    ]


def card(source_width=4000):
    return [
        stored(format, f"{dpr}x", min(100 * dpr, source_width), sizes=None) for dpr in (1, 2, 3) for format in ("webp",)
    ]


def picture(derivatives, entry="hero"):
    return read_manifest(manifest(derivatives)).pictures[entry]


def descriptors(source):
    return [candidate.descriptor for candidate in source.srcset]


class Elements(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def elements(html):
    parser = Elements()
    parser.feed(html)
    parser.close()
    return parser.found


def test_the_best_format_comes_first_and_what_every_browser_shows_is_the_image():
    made = picture(hero())
    assert [source.type for source in made.sources] == ["image/avif", "image/webp"]
    assert made.img.type == "image/jpeg"
    assert [descriptors(source) for source in (*made.sources, made.img)] == [["320w", "640w", "1280w"]] * 3
    assert made.sizes == SIZES
    assert (made.img.src, made.img.width, made.img.height) == (made.img.srcset[1].key, 640, 426)


@pytest.mark.parametrize(
    ("formats", "expected"),
    [
        (["avif"], ["avif"]),
        (["webp", "avif"], ["avif", "webp"]),
        (["jpeg", "png", "webp"], ["webp", "png", "jpeg"]),
        (["gif", "webp"], ["webp", "gif"]),
    ],
)
def test_the_last_format_is_the_one_for_all_browsers(formats, expected):
    made = picture([stored(format, "320w", 320) for format in formats])
    assert [source.type for source in (*made.sources, made.img)] == [f"image/{format}" for format in expected]


def test_widths_that_a_small_source_did_not_reach_are_told_once_with_the_true_width():
    made = picture(hero(source_width=500))
    assert [descriptors(source) for source in (*made.sources, made.img)] == [["320w", "500w"]] * 3
    assert [candidate.key.split("-")[1] for candidate in made.img.srcset] == ["320w", "640w"]
    assert descriptors(picture(hero(source_width=7)).img) == ["7w"]


@pytest.mark.parametrize(
    ("source_width", "expected", "css_width"),
    [
        (4000, ["1x", "2x", "3x"], 100),
        (299, ["1x", "2x", "3x"], 100),  # 2.99 is 3, rounded to whole pixels
        (250, ["1x", "2x", "2.50x"], 100),
        (150, ["1x", "1.50x"], 100),
        (60, ["1x"], 60),
    ],
)
def test_pixel_ratios_are_the_true_ones(source_width, expected, css_width):
    img = picture(card(source_width)).img
    assert descriptors(img) == expected
    assert img.width == css_width


def test_without_the_first_pixel_ratio_the_size_on_the_page_is_that_of_one():
    img = picture([stored("webp", "2x", 200, 100), stored("webp", "3x", 300, 150)]).img
    assert (descriptors(img), img.width, img.height) == (["2x", "3x"], 100, 50)


@given(st.permutations([*hero(), stored("webp", "1x", 9, 9, entry="other", sizes=None)]))
def test_the_same_derivatives_in_any_order_give_the_same_bytes(derivatives):
    expected = manifest([*hero(), stored("webp", "1x", 9, 9, entry="other", sizes=None)])
    assert manifest(derivatives) == expected


def test_a_manifest_is_json_that_names_every_object():
    data = manifest([*hero(), *(stored("png", "1x", 8, 8, entry="icon", sizes=None),)], blurhash="LKO2")
    document = json.loads(data)
    assert (document["version"], document["blurhash"], list(document["pictures"])) == (1, "LKO2", ["hero", "icon"])
    assert document["pictures"]["icon"] == {
        "sources": [],
        "img": {
            "type": "image/png",
            "srcset": [
                {
                    "key": "ada/cat/1/icon-1x-png-0123456789ab.png",
                    "descriptor": "1x",
                    "width": 8,
                    "height": 8,
                    "bytes": 80,
                    "sha256": "ab" * 32,
                }
            ],
            "src": "ada/cat/1/icon-1x-png-0123456789ab.png",
            "width": 8,
            "height": 8,
        },
    }
    assert "blurhash" not in json.loads(manifest(hero()))
    assert len(manifest(hero())) < 3000


def test_an_image_without_responsive_entries_has_an_empty_manifest():
    assert json.loads(manifest([])) == {"version": 1, "pictures": {}}


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"version": 2, "pictures": {}}'])
def test_what_is_no_manifest_is_refused(data):
    with pytest.raises(ValueError, match="Manifest"):
        read_manifest(data)


def test_the_markup_of_a_picture():
    html = picture_markup(picture(hero()), lambda key: f"https://cdn.example/{key}", "A cat")
    assert html.splitlines()[0] == "<picture>"
    assert html.splitlines()[-1] == "</picture>"
    (_, nothing), (first, avif), (second, webp), (last, img) = elements(html)
    assert nothing == {}
    assert (first, second, last) == ("source", "source", "img")
    assert (avif["type"], webp["type"], avif["sizes"], img["sizes"]) == ("image/avif", "image/webp", SIZES, SIZES)
    assert avif["srcset"] == ", ".join(
        f"https://cdn.example/ada/cat/1/hero-{width}w-avif-0123456789ab.avif {width}w" for width in (320, 640, 1280)
    )
    assert img["src"] == "https://cdn.example/ada/cat/1/hero-640w-jpeg-0123456789ab.jpeg"
    assert (img["width"], img["height"], img["alt"]) == ("640", "426", "A cat")
    assert (img["loading"], img["decoding"]) == ("lazy", "async")


def test_a_picture_without_sizes_says_none():
    assert "sizes" not in picture_markup(picture(card()), str, "")


HOSTILE = "\"><script>alert(1)</script>&amp;'<"


def test_nothing_breaks_out_of_the_markup():
    made = picture([stored("webp", "320w", 320, sizes=HOSTILE), stored("jpeg", "320w", 320, sizes=HOSTILE)])
    found = elements(picture_markup(made, lambda key: f"https://x/?q={HOSTILE}", HOSTILE))
    assert [tag for tag, _ in found] == ["picture", "source", "img"]
    img = found[-1][1]
    assert (img["alt"], img["sizes"], img["src"]) == (HOSTILE, HOSTILE, f"https://x/?q={HOSTILE}")


def test_an_address_with_a_space_or_a_comma_stays_one_candidate():
    html = picture_markup(picture([stored("jpeg", "320w", 320)]), lambda _: "https://x/a b\tc,", "")
    (_, _), (_, img) = elements(html)
    assert img["srcset"] == "https://x/a%20b%20c%2C 320w"


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("320w-avif", ["webp", "jpeg"]),
        ("1280w-webp", ["avif", "jpeg"]),
        ("640w-jpeg", ["avif", "webp"]),
    ],
)
def test_a_format_that_lacks_a_size_is_left_out(missing, expected):
    made = picture([one for one in hero() if missing not in one.key])
    assert [source.type for source in (*made.sources, made.img)] == [f"image/{format}" for format in expected]
    assert [descriptors(source) for source in (*made.sources, made.img)] == [["320w", "640w", "1280w"]] * 2


def test_of_formats_that_all_lack_something_the_fullest_is_shown():
    made = picture([one for one in hero() if one.key.split("-")[1:3] not in (["320w", "webp"], ["640w", "jpeg"])][1:])
    assert [source.type for source in (*made.sources, made.img)] == ["image/avif"]
    uneven = picture([stored("webp", "320w", 320), stored("jpeg", "640w", 640)])
    assert (uneven.sources, uneven.img.type) == ((), "image/jpeg")


def test_the_name_of_an_entry_is_the_name_of_a_preset():
    data = manifest(hero()).replace(b'"hero"', b'"--><script>"')
    with pytest.raises(ValueError, match="pattern"):
        read_manifest(data)
