"""Which of the formats on offer a request would have."""

from collections.abc import Sequence

from app.refusals import NotAcceptable


def choose_format(accept: str, offered: Sequence[str]) -> str:
    """The media type on offer that an Accept header weighs most; the first on offer among equals.

    >>> choose_format("text/csv, application/json;q=0.5", ["application/json", "text/csv"])
    'text/csv'
    """
    weights = _weights(accept)
    best = max(offered, key=lambda kind: _weight(kind, weights))
    if _weight(best, weights) <= 0:
        raise NotAcceptable(accept, offered)
    return best


def _weights(accept: str) -> dict[str, float]:
    weights = {}
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        try:
            weights[kind] = float(weight)
        except ValueError:
            weights[kind] = 0.0
    return weights


def _weight(kind: str, weights: dict[str, float]) -> float:
    family = kind.split("/", maxsplit=1)[0] + "/*"
    return next((weights[name] for name in (kind, family, "*/*") if name in weights), 0.0)
