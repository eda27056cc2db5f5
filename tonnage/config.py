"""The file tonnage.toml: each room reads its own part of it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tonnage.errors import BadConfig

SECTIONS = ("hierarchy", "forecast", "contest", "guard", "demand", "sources", "master", "snapshots")


@dataclass(frozen=True)
class Config:
    """The parsed file; its sections are checked by the rooms that they belong to."""

    path: Path
    document: Mapping[str, object]


def read_config(path: Path) -> Config:
    """Read the file; raises `BadConfig` for a missing file, bad TOML or an unknown section."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadConfig(path, "there is no such file; name it by --config or TONNAGE_CONFIG") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig(path, f"it cannot be read as TOML ({error})") from error
    for section in document:
        if section not in SECTIONS:
            raise BadConfig(path, f"unknown section [{section}]; there are {', '.join(SECTIONS)}")
    return Config(path, document)
