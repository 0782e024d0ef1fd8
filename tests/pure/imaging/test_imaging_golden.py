"""Derivatives against golden images, pixel by pixel; `make visual-report` shows them side by side."""

import pytest

from tests.golden.cases import MEAN_TOLERANCE, cases, difference, opened

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_derivative_looks_as_its_golden_image(case):
    made = opened(case.derivative().data)
    golden = opened(case.golden.read_bytes())
    assert made.size == golden.size
    apart = difference(made, golden)
    assert apart.mean <= MEAN_TOLERANCE, apart
    assert apart.worst <= case.worst_tolerance, apart


def test_no_golden_image_is_left_over():
    kept = {path for case in CASES for path in case.golden.parent.iterdir()}
    assert kept == {case.golden for case in CASES}
