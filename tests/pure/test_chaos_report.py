"""Runs of the chaos test as one table: what is counted, and that a red run is never published."""

from pathlib import Path

import pytest

from tests.chaos.record import Judged, Met, Run
from tests.chaos.report import BEGIN, END, between_markers, by_kind, main, summary, table

GOOD = {"statuses": 90, "dead_letters": 10, "lost": 0, "duplicated": 0, "out_of_order": 0, "orphaned": 0, "corrupt": 0}


def met(number: int, kind: str, recover_s: float | None, problem: str | None = None) -> Met:
    drain_s = None if recover_s is None else recover_s / 2
    return Met(
        number=number,
        kind=kind,
        seed=1,
        at_s=number * 10.0,
        moment="",
        recover_s=recover_s,
        drain_s=drain_s,
        problem=problem,
    )


def run(*faults: Met, findings: tuple[str, ...] = (), problem: str | None = None, **figures: int) -> Run:
    return Run(
        seed=7,
        command="python -m tests.chaos --seed 7",
        started_at="2026-11-21 08:00 UTC",
        duration_s=600,
        machine="a machine",
        kinds=("a", "b"),
        faults=faults,
        judged=Judged(figures={**GOOD, **figures}, findings=findings),
        problem=problem,
    )


GREEN = run(met(1, "b", 2.0), met(2, "a", 4.0), met(3, "b", 8.0), met(4, "b", 3.0))


def test_a_row_has_count_median_and_worst() -> None:
    assert table(by_kind([GREEN, run(met(1, "a", 6.0))]))[2:] == [
        "| a | 2 | 5.0 s | 6.0 s | 2.5 s | 3.0 s |",
        "| b | 3 | 3.0 s | 8.0 s | 1.5 s | 4.0 s |",
    ]


def test_the_summary_adds_the_runs_up() -> None:
    assert summary([GREEN, GREEN]) == (
        "8 faults; 200 events = 180 statuses + 20 dead letters; "
        "0 lost, 0 duplicated, 0 out of order, 0 orphaned, 0 corrupt"
    )


def test_the_summary_names_what_is_seldom_wrong() -> None:
    told = summary([run(met(1, "a", 1.0), findings=("x",), wrong_outcome=2, lost=1)])
    assert told.endswith("1 lost, 0 duplicated, 0 out of order, 0 orphaned, 0 corrupt, 2 wrong outcome")


@pytest.mark.parametrize(
    "red",
    [
        run(met(1, "a", None)),
        run(met(1, "a", 1.0, problem="not within 60 s: another kafka runs")),
        run(met(1, "a", 1.0), findings=("lost: e1",)),
        run(met(1, "a", 1.0), problem="the stack did not start"),
        run(met(1, "a", 1.0)).model_copy(update={"judged": None}),
        run(),
    ],
)
def test_a_red_run_is_red_and_not_published(red: Run, tmp_path: Path) -> None:
    assert not red.ok
    page, json = tmp_path / "page.md", tmp_path / "run.json"
    page.write_text(f"{BEGIN}\nold\n{END}\n")
    json.write_text(red.model_dump_json())
    assert main([str(json), "--page", str(page), "--plot", str(tmp_path / "plot.svg")]) == 1
    assert page.read_text() == f"{BEGIN}\nold\n{END}\n"


def test_green_runs_are_written_between_the_markers_with_a_plot(tmp_path: Path) -> None:
    page, plot = tmp_path / "page.md", tmp_path / "plot.svg"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    runs = [tmp_path / "1.json", tmp_path / "2.json"]
    for file in runs:
        file.write_text(GREEN.model_dump_json())
    assert main([*map(str, runs), "--page", str(page), "--plot", str(plot)]) == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert text.count("- seed 7: 4 faults in 10 minutes, 2026-11-21 08:00 UTC, `python -m tests.chaos --seed 7`") == 2
    assert "<svg" in plot.read_text()


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="has no"):
        between_markers("nothing to replace", "text")
