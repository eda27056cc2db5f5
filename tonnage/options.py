"""What the commands of the command line ask for in common."""

from pathlib import Path
from typing import Annotated

import typer

from forecasting.months import Month


def probabilities(text: str) -> tuple[float, ...]:
    """The numbers in a list such as 0.1,0.5,0.9."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a list of numbers such as 0.1,0.5,0.9") from error


MonthOption = Annotated[
    Month | None,
    typer.Option(
        "--month",
        parser=Month.parse,
        metavar="YYYY-MM",
        help="Last month of history. Default: the last complete month.",
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", help="Configuration file. Default: TONNAGE_CONFIG, or tonnage.toml.", envvar=None
    ),
]


def given_reason(reason: str | None) -> str | None:
    """A reason that says something."""
    if reason is not None and not reason.strip():
        raise typer.BadParameter("say why, in a few words")
    return reason


AcceptOption = Annotated[
    str | None,
    typer.Option(
        metavar="REASON",
        callback=given_reason,
        help="Pass the limits on rejects and changes; the reason is recorded.",
    ),
]
PortOption = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port to serve on. Default: TONNAGE_PORT, or 8000.")
]

HistoryArgument = Annotated[
    Path, typer.Argument(help="CSV or Parquet: the key columns, a month and a quantity.")
]
KeysOption = Annotated[str, typer.Option(help="Key columns, for example organization,customer,material.")]
LevelsOption = Annotated[
    str | None,
    typer.Option(
        help="For example 'total;organization;organization,customer'. Default: total, each key, all."
    ),
]
HorizonOption = Annotated[int, typer.Option(min=1, max=60, help="Months ahead.")]
QuantilesOption = Annotated[str, typer.Option(help="Probabilities, for example 0.1,0.5,0.9.")]
MonthColumn = Annotated[str, typer.Option(help="Column with the month: a date or YYYY-MM.")]
QuantityColumn = Annotated[str, typer.Option(help="Column with the quantity.")]
RecipeOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE.toml[:NAME]",
        help="Another recipe than the default: one that ships, or one of a file.",
    ),
]
