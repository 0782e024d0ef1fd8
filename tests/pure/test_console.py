import pytest
from rich.console import Console

from darkroom.console import cell, plural, printable, short


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat.jpg", "cat.jpg"),
        ("Grüße 你好 📷", "Grüße 你好 📷"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("a\nb\r\tc\x00", "a\\nb\\r\\tc\\x00"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("\u2028\u00a0\x9b", "\\u2028\\xa0\\x9b"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_a_terminal_would_act_on_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(text).isprintable()


def test_untrusted_text_is_short_and_no_markup() -> None:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))
    with console.file:
        console.print(cell("[red]id[/red]\x1b[31m"))
    assert console.export_text() == "[red]id[/red]\\x1b[31m\n"
    assert short("x" * 100, 10) == "xxxxxxxxx…"


@pytest.mark.parametrize(("count", "words"), [(0, "0 statuses"), (1, "1 status"), (1234, "1,234 statuses")])
def test_counts_have_their_noun(count: int, words: str) -> None:
    assert plural(count, "status", "statuses") == words
