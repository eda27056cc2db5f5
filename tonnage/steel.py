"""The demo's steel trade: who sells, who buys, and what."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Organization:
    """A selling company; `august` is the share of normal orders during its summer shutdown."""

    id: str
    august: float


@dataclass(frozen=True)
class Segment:
    """An industry that buys: its share of customers, its share of contract buyers, its year."""

    name: str
    share: float
    contract: float
    growth: float
    forms: Mapping[str, float]
    season: tuple[float, ...]


@dataclass(frozen=True)
class Material:
    """A grade in a form; `lot` in tonnes; `born` and `gone` are positions of months in the book."""

    id: str
    form: str
    lot: float
    lead_days: int
    born: int
    gone: int


ORGANIZATIONS = (
    Organization("NORD", 0.85),
    Organization("WEST", 0.8),
    Organization("SUED", 0.55),
    Organization("OST", 0.9),
)

SEGMENTS = (
    Segment(
        "automotive", 0.16, 0.85, 0.01, {"HRC": 2.0, "CRC": 4.0, "HDG": 4.0},
        (1.05, 1.03, 1.1, 1.0, 1.02, 1.03, 0.72, 0.95, 1.08, 1.07, 1.03, 0.92),
    ),
    Segment(
        "construction", 0.24, 0.3, 0.015, {"BEAM": 4.0, "REBAR": 4.0, "PLATE": 1.0, "TUBE": 1.0},
        (0.62, 0.7, 1.05, 1.2, 1.28, 1.25, 1.15, 1.1, 1.15, 1.08, 0.85, 0.57),
    ),
    Segment(
        "machinery", 0.2, 0.5, 0.0, {"PLATE": 4.0, "HRC": 2.0, "BEAM": 1.0, "TUBE": 1.0},
        (1.0, 1.02, 1.1, 1.05, 1.0, 1.02, 0.95, 0.9, 1.05, 1.05, 1.0, 0.86),
    ),
    Segment(
        "service centre", 0.2, 0.4, -0.005, {"HRC": 4.0, "CRC": 3.0, "HDG": 2.0, "PLATE": 2.0},
        (1.08, 1.05, 1.22, 1.08, 1.02, 1.0, 0.95, 0.92, 1.02, 1.0, 0.88, 0.78),
    ),
    Segment(
        "tube maker", 0.1, 0.7, 0.02, {"HRC": 5.0, "TUBE": 1.0, "WIRE": 1.0},
        (1.0, 1.0, 1.06, 1.04, 1.02, 1.02, 1.0, 0.9, 1.04, 1.04, 1.0, 0.88),
    ),
    Segment(
        "energy", 0.1, 0.35, 0.05, {"PLATE": 5.0, "TUBE": 2.0, "BEAM": 1.0},
        (0.8, 0.85, 0.95, 1.1, 1.2, 1.2, 1.15, 1.05, 1.05, 1.0, 0.9, 0.75),
    ),
)  # fmt: skip

_ALWAYS = 10**6


# Two grades end and two others take their place; one is new near the end.
_LIVES = {
    "CRC-DC01-1.0": (0, 44),
    "CRC-DC03-1.0": (42, _ALWAYS),
    "REBAR-12": (0, 58),
    "REBAR-B500B-12": (56, _ALWAYS),
    "HDG-ZM310-1.5": (60, _ALWAYS),
}


def _materials(form: str, names: str, lot: float, lead_days: int) -> list[Material]:
    return [Material(name, form, lot, lead_days, *_LIVES.get(name, (0, _ALWAYS))) for name in names.split()]


def _crossed(form: str, grades: str, sizes: str) -> str:
    return " ".join(f"{form}-{grade}-{size}" for grade in grades.split() for size in sizes.split())


MATERIALS = (
    *_materials("HRC", _crossed("HRC", "S235 S355 S355MC", "2.0 3.0 4.0 6.0"), 22.0, 32),
    *_materials("CRC", _crossed("CRC", "DC01 DC03 DC04", "0.8 1.0 1.5"), 18.0, 42),
    *_materials("HDG", _crossed("HDG", "DX51D ZM310", "0.7 1.0 1.5 2.0"), 16.0, 45),
    *_materials("PLATE", _crossed("PLATE", "S355 S690", "10 15 20 30 40"), 12.0, 40),
    *_materials("BEAM", "HEA-160 HEB-200 HEB-300 IPE-200 IPE-270 IPE-360 UPN-160 UPN-220", 6.0, 28),
    *_materials("REBAR", "REBAR-10 REBAR-12 REBAR-B500B-12 REBAR-16 REBAR-20 REBAR-25", 12.5, 14),
    *_materials("WIRE", "WIRE-5.5 WIRE-8.0 WIRE-10.0", 10.0, 20),
    *_materials("TUBE", "TUBE-RHS-100 TUBE-RHS-150 TUBE-CHS-114 TUBE-CHS-219", 5.0, 30),
)
