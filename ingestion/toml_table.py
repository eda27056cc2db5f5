"""Pure: tables of `tonnage.toml`, read with the place and the remedy of every mistake."""

from collections.abc import Collection, Mapping

from ingestion.errors import BadSourceConfig


def as_table(raw: object, where: str) -> Mapping[str, object]:
    """A table; raises `BadSourceConfig` for anything else."""
    if not isinstance(raw, Mapping):
        raise BadSourceConfig(where, "not a table", f"write {where} with its keys below")
    return raw


def as_text(raw: object, where: str) -> str:
    """A text with something in it, without blanks around it."""
    if not isinstance(raw, str) or not raw.strip():
        raise BadSourceConfig(where, f"{raw!r} is not a text", "write a text in quotes")
    return raw.strip()


def as_share(raw: object, where: str, whole: str) -> float:
    """A number from 0 to 1."""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= 1:
        raise BadSourceConfig(
            where, f"{raw!r} is not a share of {whole}", "write a number from 0 to 1, like 0.02"
        )
    return float(raw)


def refuse_unknown(table: Mapping[str, object], known: Collection[str], where: str) -> None:
    """Raise `BadSourceConfig` for a key that means nothing here."""
    for key in table:
        if key not in known:
            raise BadSourceConfig(where, f"unknown key {key!r}", f"known keys are {', '.join(known)}")


def each_once(columns: Mapping[str, str], where: str) -> None:
    """Raise `BadSourceConfig` when two fields are mapped to one column."""
    owners: dict[str, str] = {}
    for field, column in columns.items():
        if column in owners:
            problem = f"column {column!r} is mapped to both {owners[column]} and {field}"
            raise BadSourceConfig(where, problem, "map each column once")
        owners[column] = field
