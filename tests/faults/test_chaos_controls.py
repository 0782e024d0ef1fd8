"""The oracle of the chaos runs can fail: with one guarantee taken out of the job it is red, with all of them green."""

from pathlib import Path

import pytest

from tests.chaos.controls import CONTROLS, Control, as_it_should, run_control
from tests.live_stack import Stack

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_each_guarantee_is_missed(stack: Stack, control: Control, tmp_path: Path) -> None:
    verdict = run_control(stack, control, tmp_path / "journal")
    print(f"\n{verdict.in_words()}")
    assert as_it_should(control, verdict), verdict.in_words()
