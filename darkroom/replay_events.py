"""What a replay publishes: a new event for the same image and version. Pure; knows no Kafka.

A replay of an event has an id made from that event's, so that every run makes the same one: admit drops what was
replayed before, and every tool can tell from the topics alone what was. A replay that failed is replayed under the
next id of the chain.
"""

import uuid

from schemas.reasons import Reason
from schemas.records import ATTRIBUTES_MAX_BYTES, ATTRIBUTES_MAX_COUNT, EventKind, ImageEvent, ImageStatus, Outcome

NAMESPACE = uuid.UUID("5f0c2d6e-6a53-5f7e-9f0b-6b1f6d0f2c11")  # of replays' ids; changed, old replays are made again
REPAIR_HEADER = "darkroom.repair"  # of a record that is published again because its dead letter was lost
REPLAY_OF = "darkroom.replay_of"  # attribute: the id of the event that this one replays


def replay_id(event_id: str) -> str:
    """Return the id of the one replay of an event."""
    return str(uuid.uuid5(NAMESPACE, event_id))


def replay_of(event: ImageEvent) -> ImageEvent:
    """Return the event that asks for the outcome again.

    An upload becomes a REDERIVE, as admit lets that repeat a version; a deletion stays one. When the attributes have no
    room for one more, the id alone tells what was replayed.
    """
    attributes = {**event.attributes, REPLAY_OF: event.event_id}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in attributes.items())
    fits = len(attributes) <= ATTRIBUTES_MAX_COUNT and size <= ATTRIBUTES_MAX_BYTES
    return event.model_copy(
        update={
            "event_id": replay_id(event.event_id),
            "kind": event.kind if event.kind is EventKind.DELETED else EventKind.REDERIVE,
            "attributes": attributes if fits else event.attributes,
        }
    )


def took_effect(status: ImageStatus) -> bool:
    """Tell whether admit let the event through, so that older versions of its image are superseded."""
    refused = any(failure.reason is Reason.USER_BACKLOG_FULL for failure in status.failures)
    return status.outcome is not Outcome.SUPERSEDED and not refused


def supersedes(status: ImageStatus, version: int, kind: EventKind) -> bool:
    """Tell whether a replay of that version and kind would be superseded by what the status tells."""
    if not took_effect(status):
        return False
    deleted_now = status.kind is EventKind.DELETED and kind is not EventKind.DELETED
    return status.version > version or (status.version == version and deleted_now)
