"""Stub until merged."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    max_change: float = 0.1


def parse_limits(document: Mapping[str, object]) -> Limits:
    return Limits()
