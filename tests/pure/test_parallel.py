import threading

import pytest

from darkroom.parallel import AHEAD_PER_THREAD, parallel_map


def test_results_come_in_order_and_little_is_begun_ahead() -> None:
    taken = 0

    def items() -> object:
        nonlocal taken
        for number in range(1000):
            taken = number
            yield number

    results = parallel_map(lambda number: number * 2, items(), threads=2)
    assert [next(results) for _ in range(10)] == list(range(0, 20, 2))
    assert taken < 10 + 2 * AHEAD_PER_THREAD
    results.close()


def test_the_first_error_ends_it() -> None:
    done: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> int:
        if number == 3:
            raise LookupError
        with lock:
            done.append(number)
        return number

    with pytest.raises(LookupError):
        list(parallel_map(work, range(1000), threads=2))
    assert len(done) < 50
