"""What an operator does to a job that has work to do: stop and resume, upgrade, rescale."""

from itertools import count
from pathlib import Path
from random import Random

from tests.chaos.faults import Kind, World
from tests.chaos.recovery import Stopwatch

PRESETS = Path(__file__).parent / "presets.yaml"
BEFORE, AFTER = "quality: 75", "quality: {quality}"
QUALITIES = count(60)
WIDE = 2
PROOF = 3  # outcomes that show that the job works at its new width


def resumed(world: World, _: Random, stopwatch: Stopwatch) -> str:
    """Stop the job with a savepoint, and resume it from there."""
    stopwatch.inject()
    savepoint = world.stage.stop_with_savepoint()
    world.stage.submit(savepoint)
    stopwatch.end()
    return f"resumed from {savepoint}"


def upgraded(world: World, _: Random, stopwatch: Stopwatch) -> str:
    """Stop the job with a savepoint, and resume it with other recipes and another setting."""
    number = next(QUALITIES)
    presets = world.stage.folder / f"presets-{number}.yaml"
    presets.write_text(PRESETS.read_text().replace(BEFORE, AFTER.format(quality=number)))
    stopwatch.inject()
    savepoint = world.stage.stop_with_savepoint()
    world.stage.submit(savepoint, DARKROOM_PRESETS_FILE=str(presets), DARKROOM_IMAGES_IN_FLIGHT=str(8 + number % 8))
    stopwatch.end()
    return f"every recipe has quality {number} now"


def rescaled(world: World, _: Random, stopwatch: Stopwatch) -> str:
    """Take the job from one slot to two, let it work there, and back."""
    stopwatch.inject()
    world.stage.submit(world.stage.stop_with_savepoint(), parallelism=WIDE)
    width = world.stage.parallelism()
    assert width == WIDE, width
    since = world.watch.outcomes
    world.wait(lambda: world.watch.outcomes >= since + PROOF, f"{PROOF} outcomes at parallelism {WIDE}")
    world.stage.submit(world.stage.stop_with_savepoint())
    width = world.stage.parallelism()
    stopwatch.end()
    assert width == 1, width
    return f"1, {WIDE}, {width}"


KINDS = (
    Kind("stop with savepoint and resume", 1, resumed),
    Kind("upgrade to other recipes", 1, upgraded),
    Kind("rescale 1, 2, 1", 1, rescaled),
)
