"""What the chaos load is made of: the seed decides it, it holds everything, and its bad sources are bad as they say."""

import random
from collections import Counter
from pathlib import Path

import pytest

from schemas.errors import UndecodableError
from schemas.record_codecs import event_codec
from tests.chaos.controls import EVENTS, HOT_USERS, SEED, USERS
from tests.chaos.journal import EVENT, Acknowledged, Journal, Put, Sent
from tests.chaos.mix import Mix
from tests.chaos.pictures import BAD, MISSING, made, photograph, photographs
from tests.chaos.steps import WEIGHTS, Act, Message, Step
from udfs.imaging import render
from udfs.imaging.errors import ImagingError
from udfs.imaging.limits import Limits

MANY = 2_500


def steps(seed: int, count: int, users: int = 300) -> list[Step]:
    mix = Mix(seed, "images", users, 3)
    return [mix.next() for _ in range(count)]


def shape(step: Step) -> tuple[object, ...]:
    """Return a step without the time in its event."""
    try:
        told = event_codec().decode(step.message.value).model_dump(exclude={"occurred_at"})
    except UndecodableError:
        told = {}
    return step.act, step.before, step.after, step.message.key, step.message.expects, str(told)


@pytest.fixture(scope="module")
def many() -> list[Step]:
    return steps(1, MANY)


def test_the_seed_alone_decides() -> None:
    first = [shape(step) for step in steps(4, 300)]
    assert first == [shape(step) for step in steps(4, 300)]
    assert first != [shape(step) for step in steps(5, 300)]


def test_everything_happens_about_as_often_as_it_should(many: list[Step]) -> None:
    seen = Counter(step.act for step in many)
    for act, weight in WEIGHTS.items():
        share = seen[act] / MANY
        assert share > 0.6 * weight / sum(WEIGHTS.values()), (act, share)


def test_a_few_users_are_very_hot_and_hundreds_are_not(many: list[Step]) -> None:
    users = Counter(step.message.key for step in many)
    (*hot, _), (cool, *_) = users.most_common(3), users.most_common()[3:]
    assert min(count for _, count in hot) > 5 * cool[1]
    assert len(users) > 250


def test_a_record_is_an_event_or_none_as_it_says(many: list[Step]) -> None:
    for step in many:
        try:
            event_codec().decode(step.message.value)
            found = EVENT
        except UndecodableError as error:
            found = error.reason
        assert found == step.message.expects


def test_a_repetition_repeats_every_byte(many: list[Step]) -> None:
    seen: set[Message] = set()
    for step in many:
        if step.act in (Act.DUPLICATE_SOON, Act.DUPLICATE_LATE):
            assert step.message in seen
        seen.add(step.message)


@pytest.mark.parametrize("content", sorted(set(BAD) - {MISSING, "SOURCE_EMPTY"}))
def test_a_bad_source_is_bad_for_its_reason(content: str) -> None:
    for seed in range(20):
        with pytest.raises(ImagingError) as raised:
            render.render(made(content, random.Random(seed)), [], Limits(), None)
        assert raised.value.reason == content


def test_no_two_photographs_have_the_same_bytes_and_all_are_small() -> None:
    chance = random.Random(1)
    found = {photograph(chance) for _ in range(200)}
    assert len(found) == 200
    assert len(photographs()) == 15
    assert max(map(len, found)) < 120_000


def test_the_controls_load_has_what_they_need() -> None:
    mix = Mix(SEED, "images", USERS, HOT_USERS)
    acts = Counter(mix.next().act for _ in range(EVENTS))
    assert acts[Act.DUPLICATE_SOON] + acts[Act.DUPLICATE_LATE] >= 6
    assert acts[Act.OLD_VERSION] >= 4
    assert acts[Act.DELETE] >= 4
    assert acts[Act.UNDECODABLE] >= 3


def test_a_journal_is_read_up_to_where_its_writer_died(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    put, sent, acknowledged = Put("b", "kä", "e", "s", "GOOD"), Sent("r", "EVENT"), Acknowledged("r")
    dying = Journal(path)
    dying.write(put)
    dying.write(sent)
    dying.close()
    path.write_bytes(path.read_bytes()[:-5])
    journal = Journal(path)
    assert list(journal.read()) == [put]
    journal.write(acknowledged)
    assert list(journal.read()) == [put, acknowledged]
    journal.close()
