"""Stub until the real one is merged."""

from collections.abc import Mapping


class MasterConfig:
    pass


def parse_master(document: Mapping[str, object], environment: Mapping[str, str]) -> tuple[MasterConfig, ...]:
    return ()
