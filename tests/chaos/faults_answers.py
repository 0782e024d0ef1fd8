"""MinIO that answers wrongly: a proxy of our own hung between Toxiproxy and MinIO for a while."""

from collections.abc import Callable
from random import Random

from tests.chaos.faults import Kind, World
from tests.chaos.proxies import Answer, FaultyStore, half_a_body, refused, serving
from tests.chaos.recovery import Stopwatch
from tests.chaos.toxiproxy import Toxiproxy

SHARE = 0.5
FEWEST, MOST = 5, 25


def answering(answer: Answer) -> Callable[[World, Random, Stopwatch], str]:
    """Return the strike that gives so many bad answers to the job."""

    def strike(world: World, chance: Random, stopwatch: Stopwatch) -> str:
        wanted = chance.randint(FEWEST, MOST)
        store = FaultyStore(world.stage.record.s3_endpoint, answer, SHARE, chance)
        stopwatch.inject()
        try:
            with serving(store) as address, Toxiproxy(world.stage.record).led_to("s3", address):
                world.wait(lambda: store.given >= wanted, f"{wanted} bad answers were given")
        finally:
            stopwatch.end()
        return f"{store.given} of {store.asked} requests answered so"

    return strike


KINDS = (
    Kind("MinIO answers 503", 2, answering(refused(503, "ServiceUnavailable"))),
    Kind("MinIO answers SlowDown", 2, answering(refused(503, "SlowDown"))),
    Kind("MinIO answers 500", 2, answering(refused(500, "InternalError"))),
    Kind("MinIO answers half a body", 2, answering(half_a_body)),
)
