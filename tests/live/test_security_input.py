"""Events written by an enemy, on the running job: keys, headers, logs and the operator's terminal."""

import re
from collections.abc import Iterator

import pytest

from darkroom.storage import connect
from schemas.keys import image_prefix
from schemas.reasons import Reason
from schemas.records import ImageStatus, Outcome, Source
from tests.live_stack import PHOTOS, Scenario, Stack, event, eventually

pytestmark = pytest.mark.timeout(600)

PHOTO = (PHOTOS / "rocket.jpg").read_bytes()
FORGED = "2026-01-01 00:00:00,000 ERROR forged"
IDS = {
    "a line of a log": f"x\n{FORGED}",
    "the return of a carriage": f"x\r{FORGED}",
    "a header": "x\r\nx-amz-meta-sha256: forged",
    "a terminal's commands": "\x1b[2J\x1b]0;forged\x07",
    "reversed writing": "\u202egpj.exe",
    "the way up": "../../flink/checkpoints",
    "dots": "..",
    "slashes": "/a//b/",
    "percent": "100%2F%",
    "quotes": "\"'`$(id)",
    "markup": "<script>alert(1)</script>[red]",
    "letters of the world": "ünï日本😀",
    "blanks": "  ",
    "nothing to see": "\x00",
    "separators": "a\u2028b\x85c",
    "long": "long" * 64,
}
KEY = re.compile(r"[A-Za-z0-9._%~-]{1,200}/[A-Za-z0-9._%~-]{1,200}/\d+/[a-z0-9-]+\.[a-z]+")


@pytest.fixture(scope="module")
def scenario(stack: Stack) -> Iterator[Scenario]:
    running = Scenario(stack)
    running.submit()
    yield running
    running.cancel()


@pytest.fixture(scope="module")
def found(scenario: Scenario) -> dict[str, ImageStatus]:
    """Publish every id as user, image and event; return the statuses by what the id is."""
    with scenario.publisher() as publisher:
        source = publisher.upload("anna", "photo", PHOTO, 1)
        for text in IDS.values():
            publisher.event(event(text, source, user_id=text, event_id=text, attributes={text: text}))
    return outcomes(scenario, IDS)


def outcomes(scenario: Scenario, names: dict[str, str]) -> dict[str, ImageStatus]:
    def seen() -> dict[str, ImageStatus]:
        return {status.event_id: status for status in scenario.statuses()}

    eventually(lambda: set(names.values()) <= seen().keys(), "every status", lambda: list(seen()), limit_s=300)
    return {name: seen()[event_id] for name, event_id in names.items()}


@pytest.mark.parametrize("name", IDS)
def test_an_id_becomes_a_key_that_holds_nothing_but_plain_characters(
    scenario: Scenario, found: dict[str, ImageStatus], name: str
) -> None:
    status, text = found[name], IDS[name]
    assert (status.outcome, status.user_id, status.image_id) == (Outcome.READY, text, text)
    store = connect(scenario.target)
    listed = list(store.list_objects(scenario.target.buckets.derivatives, image_prefix(text, text), recursive=True))
    assert {item.object_name for item in listed} >= {one.key for one in status.derivatives}
    for one in status.derivatives:
        assert KEY.fullmatch(one.key)
        headers = store.stat_object(one.bucket, one.key).metadata
        assert headers is not None
        assert headers["x-amz-meta-sha256"] == one.sha256
        assert headers["x-amz-meta-preset"] == f"{one.preset}@{one.preset_version}"
        assert not [value for value in headers.values() if "forged" in value]


def test_no_two_ids_share_a_key(found: dict[str, ImageStatus]) -> None:
    keys = [one.key for status in found.values() for one in status.derivatives]
    assert len(keys) == len(set(keys))


def test_nothing_lies_outside_of_the_images_prefixes(scenario: Scenario, found: dict[str, ImageStatus]) -> None:
    figures = scenario.verify(wait_s=0)
    assert (figures["lost"], figures["duplicated"], figures["orphaned"], figures["corrupt"]) == (0, 0, 0, 0)


BUCKETS = [
    "IMAGES",
    "images ",
    " images",
    "images/",
    "images\n",
    "../images",
    "images,images",
    ".",
    "xn--images",
    "\u0131mages",
]


def test_only_buckets_on_the_list_are_read(scenario: Scenario) -> None:
    """The job itself may read its derivatives and its checkpoints, so the store would not refuse these."""
    own = scenario.target.buckets
    names = {bucket: f"from {bucket}" for bucket in (*BUCKETS, own.derivatives, own.flink)}
    with scenario.publisher() as publisher:
        for bucket, event_id in names.items():
            publisher.event(event(event_id, Source(bucket=bucket, key="key"), event_id=event_id))
    for bucket, status in outcomes(scenario, names).items():
        assert [failure.reason for failure in status.failures] == [Reason.SOURCE_BUCKET_NOT_ALLOWED], bucket
        assert status.outcome is Outcome.REJECTED


def test_a_source_s_key_is_not_interpreted(scenario: Scenario) -> None:
    names = {
        key: f"key {key!r}" for key in (f"a\n{FORGED}", "../derivatives/key", "a?versionId=1&x=2", "%2e%2e/x", "#")
    }
    with scenario.publisher() as publisher:
        for key, event_id in names.items():
            publisher.event(event(event_id, Source(bucket="images", key=key, etag="forged"), event_id=event_id))
    for key, status in outcomes(scenario, names).items():
        assert status.outcome is Outcome.REJECTED
        assert status.failures[0].reason in (Reason.SOURCE_MISSING, Reason.SOURCE_CHANGED), key


def test_no_line_of_any_log_is_a_stranger_s(scenario: Scenario, found: dict[str, ImageStatus]) -> None:
    logs = [path for path in scenario.stack.home.logs.rglob("*") if path.is_file()]
    assert len(logs) > 5
    for path in logs:
        text = path.read_bytes().decode("utf-8", "replace")
        assert not [line for line in text.splitlines() if line.startswith("2026-01-01 00:00:00")], path
        if path.parent.name == "flink":
            assert "\x1b" not in text, path


@pytest.mark.parametrize(
    "command", [("watch", "--from-beginning", "--until", str(len(IDS))), ("show", f"x\n{FORGED}"), ("verify",)]
)
def test_the_operator_s_terminal_shows_no_stranger_s_line_or_command(
    scenario: Scenario, found: dict[str, ImageStatus], command: tuple[str, ...]
) -> None:
    told = scenario.darkroom(*command)
    assert not [line for line in told.splitlines() if line.strip().startswith("2026-01-01 00:00:00")]
    assert all(character.isprintable() or character == "\n" for character in told)
