from hypothesis import given
from hypothesis import strategies as st

from udfs.packed_table import PackedTable, packed, unpacked

WIDTHS = (8, 1, 8)


def key(letter: str) -> bytes:
    return letter.encode() * 16


def cells(number: int) -> tuple[bytes, ...]:
    return packed(number), b"\1", packed(-number)


def a_table(letters: str) -> PackedTable:
    table = PackedTable(WIDTHS, b"", (b"", b"", b""))
    for number, letter in enumerate(letters):
        table.put(None, key(letter), cells(number), limit=100)
    return table


def test_bytes_that_lie_across_two_ids_are_no_hit() -> None:
    table = a_table("ab")
    across = key("a")[:5] + key("b")[:11]
    shifted = (key("a") + key("b"))[11:27]
    assert shifted == across
    assert table.find(across) is None
    assert across in table.ids


def test_an_id_behind_bytes_that_look_like_it_is_found() -> None:
    table = a_table("ab")
    across = (key("a") + key("b"))[11:27]
    table.put(None, across, cells(7), limit=100)
    assert table.find(across) == 2
    assert table.cells(2) == cells(7)


def test_numbers_of_either_sign_are_read_back() -> None:
    for number in (0, 1, -1, 2**63 - 1, -(2**63)):
        assert unpacked(packed(number)) == number


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 50)), max_size=40),
    st.integers(1, 6),
    st.integers(0, 50),
)
def test_a_table_does_what_a_dictionary_in_the_order_of_its_last_writes_does(
    writes: list[tuple[str, int]], limit: int, time: int
) -> None:
    table, model = PackedTable((8,), b"", (b"",)), dict[bytes, int]()
    for letter, end in writes:
        table.put(table.find(key(letter)), key(letter), (packed(end),), limit)
        model.pop(key(letter), None)
        model[key(letter)] = end
        for oldest in list(model)[: max(0, len(model) - limit)]:
            del model[oldest]
        assert list(zip(table, table.ends(), strict=True)) == list(model.items())
        assert len(table) == len(model)
    table.keep_ending_after(time)
    assert list(zip(table, table.ends(), strict=True)) == [(one, end) for one, end in model.items() if end > time]
