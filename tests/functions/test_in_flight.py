import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.in_flight import ByteBudget, Turns

WAIT_LIMIT_S = 30


async def settle_down() -> None:
    """Let every task run until it waits for something that only the test can give."""
    for _ in range(50):
        await asyncio.sleep(0)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(scenario(), WAIT_LIMIT_S)

    asyncio.run(limited())


def test_one_key_has_one_holder_and_the_others_follow_in_the_order_of_asking() -> None:
    async def scenario() -> None:
        turns, log, go = Turns(), [], asyncio.Event()

        async def visit(name: str) -> None:
            async with turns.turn("image"):
                log.append(f"{name} in")
                await go.wait()
                log.append(f"{name} out")

        tasks = [asyncio.create_task(visit(name)) for name in "abc"]
        await settle_down()
        assert log == ["a in"]
        go.set()
        await asyncio.gather(*tasks)
        assert log == ["a in", "a out", "b in", "b out", "c in", "c out"]

    run(scenario)


def test_different_keys_do_not_wait_for_each_other() -> None:
    async def scenario() -> None:
        turns = Turns()
        async with turns.turn("one"), turns.turn("other"):
            assert len(turns) == 2

    run(scenario)


def test_a_turn_ends_with_an_error_of_its_holder_and_with_a_waiter_that_is_cancelled() -> None:
    async def scenario() -> None:
        turns, go = Turns(), asyncio.Event()

        async def visit() -> None:
            async with turns.turn("image"):
                await go.wait()
                raise KeyError

        holder, waiter = asyncio.create_task(visit()), asyncio.create_task(visit())
        await settle_down()
        waiter.cancel()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        with pytest.raises(KeyError):
            await holder
        assert len(turns) == 0

    run(scenario)


def test_a_turn_that_was_given_back_leaves_nothing() -> None:
    async def scenario() -> None:
        turns = Turns()
        for _ in range(3):
            async with turns.turn("image"):
                pass
        assert len(turns) == 0

    run(scenario)


def test_bytes_wait_until_they_fit() -> None:
    async def scenario() -> None:
        budget = ByteBudget(100)
        await budget.acquire(60)
        second = asyncio.create_task(budget.acquire(41))
        await settle_down()
        assert (second.done(), budget.held_bytes) == (False, 60)
        await budget.acquire(40)
        await budget.release(40)
        await settle_down()
        assert not second.done()
        await budget.release(60)
        await second
        assert (budget.held_bytes, budget.peak_bytes) == (41, 100)

    run(scenario)


def test_more_than_the_budget_goes_through_alone() -> None:
    async def scenario() -> None:
        budget = ByteBudget(100)
        await budget.acquire(1)
        large = asyncio.create_task(budget.acquire(500))
        await settle_down()
        assert not large.done()
        await budget.release(1)
        await large
        small = asyncio.create_task(budget.acquire(1))
        await settle_down()
        assert not small.done()
        await budget.release(500)
        await small

    run(scenario)


@given(st.lists(st.integers(0, 150), min_size=1, max_size=20))
def test_held_bytes_never_exceed_the_budget_and_everyone_gets_through(sizes: list[int]) -> None:
    async def scenario() -> None:
        budget, held = ByteBudget(100), []

        async def hold(size: int) -> None:
            await budget.acquire(size)
            held.append(size)
            assert sum(held) <= 100 or len([size for size in held if size]) == 1
            await asyncio.sleep(0)
            held.remove(size)
            await budget.release(size)

        await asyncio.gather(*map(hold, sizes))
        assert budget.held_bytes == 0

    run(scenario)
