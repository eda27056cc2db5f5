"""Which file is asked for: its kind, its shape, and how CSV is written."""

from dataclasses import dataclass
from typing import Literal

from app.refusals import BadParameter
from app.store.cells import Separator
from app.store.row_text import Layout, Point, Shape

type Kind = Literal["csv", "parquet", "xlsx"]

MEDIA_TYPES: dict[Kind, str] = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Form:
    """A kind of file and its layout, of which all but the shape is of CSV; made by `form_of`."""

    kind: Kind
    layout: Layout
    bom: bool

    @property
    def media_type(self) -> str:
        """What the file is called over HTTP."""
        return MEDIA_TYPES[self.kind]


def form_of(
    kind: Kind | Literal["json"],
    *,
    shape: Shape | None = None,
    sep: Separator | None = None,
    decimal: Point | None = None,
    bom: bool | None = None,
) -> Form | None:
    """The file that is asked for, None for JSON; what is None was not asked for.

    Raises `BadParameter` for what the kind does not have, and for a decimal sign that separates.
    """
    if kind == "json" and shape is not None:
        raise BadParameter(
            "JSON has one shape",
            "ask for csv, parquet or xlsx, or leave shape out",
            field="shape",
            value=shape,
        )
    if kind != "csv":
        text = {"sep": sep, "decimal": decimal, "bom": None if bom is None else str(bom).lower()}
        for field, value in text.items():
            if value is not None:
                remedy = f"ask for csv, or leave {field} out"
                raise BadParameter(f"{kind} has no {field}", remedy, field=field, value=value)
    if kind == "json":
        return None
    layout = Layout(shape or "long", sep or ",", decimal or ".")
    if layout.separator == layout.decimal:
        raise BadParameter(
            "a decimal comma and commas between cells cannot be told apart",
            "ask for sep=; too",
            field="decimal",
            value=layout.decimal,
        )
    return Form(kind, layout, bool(bom))
