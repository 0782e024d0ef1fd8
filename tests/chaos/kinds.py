"""Every kind of fault, in one table; and what can be left out by name where a machine cannot do it."""

from collections.abc import Mapping, Sequence

from tests.chaos import (
    faults_answers,
    faults_clock,
    faults_disks,
    faults_network,
    faults_operations,
    faults_processes,
    faults_renderer,
)
from tests.chaos.faults import Kind

FAMILIES: dict[str, tuple[Kind, ...]] = {
    "renderer": faults_renderer.KINDS,
    "processes": faults_processes.KINDS,
    "network": faults_network.KINDS,
    "answers": faults_answers.KINDS,
    "disk-full": faults_disks.KINDS,
    "clock": faults_clock.KINDS,
    "operations": faults_operations.KINDS,
}
KINDS: tuple[Kind, ...] = tuple(kind for kinds in FAMILIES.values() for kind in kinds)


def chosen(only: Sequence[str], without: Sequence[str]) -> dict[str, Kind]:
    """Return the kinds whose name or family contains one of `only`, if any are given, and none of `without`."""

    def named(family: str, kind: Kind, parts: Sequence[str]) -> bool:
        return any(part.lower() in f"{family}/{kind.name}".lower() for part in parts)

    return {
        kind.name: kind
        for family, kinds in FAMILIES.items()
        for kind in kinds
        if (not only or named(family, kind, only)) and not named(family, kind, without)
    }


def needs(family: str, kinds: Mapping[str, Kind]) -> bool:
    """Tell whether a kind of that family is among these."""
    return any(kind.name in kinds for kind in FAMILIES[family])
