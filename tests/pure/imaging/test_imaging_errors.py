import pickle

import pytest

from udfs.imaging import errors


def leaves(kind):
    return [leaf for child in kind.__subclasses__() for leaf in (leaves(child) or [child])]


LEAVES = leaves(errors.ImagingError)


def test_reasons_are_distinct_and_drawn_in_the_docstring():
    reasons = [leaf.reason for leaf in LEAVES]
    assert len(set(reasons)) == len(reasons) == 13
    assert all(f"{leaf.__name__}" in errors.__doc__ and leaf.reason in errors.__doc__ for leaf in LEAVES)
    assert all(leaf.permanent for leaf in LEAVES)


@pytest.mark.parametrize(
    "error",
    [errors.UnknownPreset("big", ["a", "b"]), errors.PresetsError(["one", "two"]), errors.CorruptImage("source: cut")],
)
def test_errors_survive_a_process_boundary(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_an_unknown_preset_names_the_known_ones_and_is_short():
    message = str(errors.UnknownPreset("x" * 10_000, ["thumb-256", "fit-640"]))
    assert "thumb-256, fit-640" in message
    assert len(message) < 300
