"""Hypothesis strategies for whole records and for ids as hostile as an event may carry."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from schemas.reasons import Reason
from schemas.records import (
    DeadLetter,
    Derivative,
    EventKind,
    Exposure,
    Failure,
    FocalPoint,
    ImageEvent,
    ImageStatus,
    Manifest,
    Outcome,
    Signals,
    Source,
    SourceFacts,
    Stage,
    Timings,
)

HOSTILE_IDS = [
    "",
    ".",
    "..",
    "...",
    "/",
    "//",
    "../..",
    "a/b",
    "a//b",
    "/etc/passwd",
    "a\\b",
    "\0",
    "a\0b",
    "\n",
    " ",
    "~",
    "~" + "0" * 64,
    "%7E",
    "%2F",
    "%252F",
    "%2E",
    "%00",
    "?x=1#y",
    "*",
    "é",
    "e\u0301",
    "😀",
    "\ud83d\ude00",
    "\ud800",
    "\u202egpj.exe",
    "A",
    "a",
    "x" * 200,
    "x" * 201,
    "/" * 66,
    "/" * 67,
    "😀" * 2_560,
    "." * 10_000,
    "x" * 10_000,
]

hostile_ids = st.one_of(
    st.sampled_from(HOSTILE_IDS),
    st.text(alphabet="./%~2EF\\\0a-_😀", max_size=80),
    st.text(max_size=300),
)

text = st.text(max_size=40)
ids = st.text(min_size=1, max_size=40)
ints = st.integers(0, 2**31 - 1)
longs = st.integers(0, 2**63 - 1)
sha256s = st.binary(min_size=32, max_size=32).map(bytes.hex)
milliseconds = st.integers(-(10**12), 10**13)
instants = milliseconds.map(lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))

etags = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"'), min_size=1, max_size=40)
sources = st.builds(Source, bucket=ids, key=ids, etag=st.none() | etags)

events = st.builds(
    ImageEvent,
    event_id=ids,
    kind=st.sampled_from(EventKind),
    user_id=ids,
    image_id=ids,
    version=longs,
    source=sources,
    presets=st.none() | st.lists(ids, min_size=1, max_size=5).map(tuple),
    focal_point=st.none() | st.builds(FocalPoint, x=st.floats(0, 1), y=st.floats(0, 1)),
    attributes=st.dictionaries(text, text, max_size=5),
    occurred_at=instants,
    traceparent=st.none() | text,
)

derivatives = st.builds(
    Derivative,
    preset=text,
    preset_version=ints,
    bucket=text,
    key=text,
    width=ints,
    height=ints,
    format=text,
    frames=ints,
    bytes=longs,
    sha256=sha256s,
)

facts = st.builds(
    SourceFacts,
    format=text,
    width=ints,
    height=ints,
    bytes=longs,
    sha256=sha256s,
    frames=ints,
    has_alpha=st.booleans(),
    orientation=st.integers(1, 8),
    color_profile=st.none() | text,
    captured_at=st.none() | text,
    camera_make=st.none() | text,
    camera_model=st.none() | text,
)

shares = st.floats(0, 1)

signals = st.builds(
    Signals,
    blurhash=text,
    thumbhash=text,
    dominant_color=text,
    palette=st.lists(text, max_size=5).map(tuple),
    perceptual_hash=text,
    sharpness=st.floats(0, 1e9),
    exposure=st.builds(Exposure, mean=shares, shadows=shares, highlights=shares),
)

manifests = st.builds(Manifest, bucket=text, key=text, bytes=longs, sha256=sha256s)

failures = st.builds(
    Failure,
    preset=st.none() | text,
    stage=st.sampled_from(Stage),
    reason=st.sampled_from(Reason),
    message=text,
)

statuses = st.builds(
    ImageStatus,
    event_id=text,
    kind=st.sampled_from(EventKind),
    user_id=text,
    image_id=text,
    version=longs,
    outcome=st.sampled_from(Outcome),
    derivatives=st.lists(derivatives, max_size=3).map(tuple),
    source=st.none() | facts,
    signals=st.none() | signals,
    manifest=st.none() | manifests,
    failures=st.lists(failures, max_size=3).map(tuple),
    timings=st.builds(Timings, fetch_ms=ints, render_ms=ints, store_ms=ints),
    attempts=ints,
    job_version=text,
    traceparent=st.none() | text,
)

dead_letters = st.builds(
    DeadLetter,
    stage=st.sampled_from(Stage),
    reason=st.sampled_from(Reason),
    message=text,
    event_id=st.none() | text,
    payload=st.binary(max_size=300),
    payload_bytes=st.integers(0, 2**40),
    payload_sha256=sha256s,
    job_version=text,
)
