"""A snapshot's integers as people read them: tonnes or pieces, thousands set apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingestion.units import DemandUnit


@dataclass(frozen=True, slots=True)
class Amounts:
    """Writes kilograms as tonnes, and pieces as they are.

    >>> Amounts(DemandUnit.TONNE).texts([1_234_567_800, -400, None])
    ['1,234,568', '>-1', '–']
    >>> Amounts(DemandUnit.TONNE).text(12_500)
    '12.500'
    """

    demand: DemandUnit

    @property
    def unit(self) -> str:
        """The unit as it stands behind a figure."""
        return "t" if self.demand is DemandUnit.TONNE else "pieces"

    @property
    def noun(self) -> str:
        """The unit in a sentence."""
        return "tonnes" if self.demand is DemandUnit.TONNE else "pieces"

    def value(self, quantity: float) -> float:
        """An integer of the snapshot in the unit of demand."""
        return quantity / (1000 if self.demand is DemandUnit.TONNE else 1)

    def texts(self, quantities: Sequence[float | None]) -> list[str]:
        """A column of figures with as many decimals as its largest leaves room for."""
        values = [None if quantity is None else self.value(quantity) for quantity in quantities]
        largest = max((abs(value) for value in values if value is not None), default=0.0)
        whole = largest >= 1000 or largest == 0 or self.demand is DemandUnit.PIECE
        digits = 0 if whole else 1 if largest >= 100 else 3
        return ["–" if value is None else _written(value, digits) for value in values]

    def text(self, quantity: float) -> str:
        """One figure, without its unit."""
        return self.texts([quantity])[0]


def _written(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    if value and not text.strip("-0."):
        return f"{'<' if value > 0 else '>-'}{10**-digits:.{digits}f}"
    return text
