"""Nodes and how they are written: in URLs, in answers, and wherever one text must name one."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.refusals import BadNode
from app.store.keys import KEYS, canonical
from forecasting.hierarchy import TOTAL, Level

type NodeKey = tuple[str, ...]
"""A node within its level: the values of what the level names, in serving order."""

_PLAIN = re.compile(r"[A-Za-z0-9._-]")
_ESCAPED = re.compile(r"(?:~[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class Node:
    """A node's keys, None where it sums over one, and the values of the attributes that its level names."""

    organization: str | None
    customer: str | None
    material: str | None
    attributes: tuple[str, ...] = ()

    def within(self, level: Level) -> NodeKey:
        """What tells the node from the others of its level."""
        return (*(getattr(self, key) for key in level if key in KEYS), *self.attributes)


@dataclass(frozen=True, slots=True)
class NodeId:
    """A node of any run: what its level names, in serving order, and the value of each.

    It is written as `--where` is on the command line, joined by commas, and fits into a URL as it is: a
    byte of UTF-8 that is no letter, digit, dot, hyphen or underscore is a tilde and two hexadecimal digits.

    >>> str(NodeId.of({"material": "HEB 200", "organization": "NORD"}))
    'organization=NORD,material=HEB~20200'
    >>> str(NodeId.of({}))
    'total'
    """

    level: Level
    values: NodeKey

    @classmethod
    def of(cls, where: Mapping[str, str]) -> "NodeId":
        """The node with these values of keys and attributes; the total without any."""
        level = canonical(where)
        return cls(level, tuple(where[name] for name in level))

    @classmethod
    def parse(cls, text: str) -> "NodeId":
        """The node that a text names, its parts in any order; raises `BadNode`.

        Every character but comma, tilde and NUL may stand for itself: it is the writer who escapes.

        >>> NodeId.parse("material=HEB 200,organization=NORD")
        NodeId(level=('organization', 'material'), values=('NORD', 'HEB 200'))
        """
        where: dict[str, str] = {}
        for part in () if text == TOTAL else text.split(","):
            name, is_pair, value = part.partition("=")
            name, value = _read(name, text), _read(value, text)
            if not name or not is_pair or name in where:
                raise BadNode(text)
            where[name] = value
        return cls.of(where)

    def __str__(self) -> str:
        return ",".join(f"{_written(name)}={_written(value)}" for name, value in self.where.items()) or TOTAL

    @property
    def where(self) -> dict[str, str]:
        """The value of each key and attribute, in serving order."""
        return dict(zip(self.level, self.values, strict=True))

    @property
    def node(self) -> Node:
        """The node as it is stored within its level."""
        where = self.where
        attributes = tuple(where[name] for name in self.level if name not in KEYS)
        return Node(where.get("organization"), where.get("customer"), where.get("material"), attributes)

    def up_to(self, level: Iterable[str]) -> "NodeId":
        """The node of a level above, none of whose names this one lacks, that this node counts towards."""
        return NodeId.of({name: self.where[name] for name in level})


def _written(text: str) -> str:
    return "".join(
        letter if _PLAIN.fullmatch(letter) else "".join(f"~{byte:02X}" for byte in letter.encode())
        for letter in text
    )


def _read(text: str, whole: str) -> str:
    try:
        read = _ESCAPED.sub(_characters, text)
        read.encode()  # half a character is none
    except UnicodeError:
        raise BadNode(whole) from None
    if "~" in _ESCAPED.sub("", text) or "\0" in read:
        raise BadNode(whole)
    return read


def _characters(escaped: re.Match[str]) -> str:
    return bytes.fromhex(escaped[0].replace("~", "")).decode()
