"""How nodes are written: any node reads back, and fits into a URL as it is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.refusals import BadNode
from app.store.node_id import Node, NodeId

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
NAMES = st.sampled_from(["organization", "customer", "material"]) | TEXT.filter(bool)


@given(st.dictionaries(NAMES, TEXT, max_size=4))
def test_every_node_reads_back(where: dict[str, str]) -> None:
    node = NodeId.of(where)
    assert NodeId.parse(str(node)) == node
    assert node.where == where
    assert re.fullmatch(r"[A-Za-z0-9._~=,-]+", str(node))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("total", {}),
        ("customer=K-104", {"customer": "K-104"}),
        ("material=HEB 200,organization=SÜD", {"organization": "SÜD", "material": "HEB 200"}),
        ("customer=a~2Cb~2fc~7E", {"customer": "a,b/c~"}),
        ("customer=a=b", {"customer": "a=b"}),
        ("customer=", {"customer": ""}),
        ("customer=%2C", {"customer": "%2C"}),
        ("material_group=~C3~9C,customer=x", {"customer": "x", "material_group": "Ü"}),
    ],
)
def test_people_may_write_it_more_freely(text: str, where: dict[str, str]) -> None:
    node = NodeId.parse(text)
    assert node.where == where
    assert node == NodeId.of(where)


@pytest.mark.parametrize(
    "text",
    ["", "customer", "=x", "customer=a,", "customer=a,customer=b", "customer=~", "customer=~2",
     "customer=~ZZ", "customer=~FF", "customer=~C3", "customer=~00", "customer=\0", "customer=\ud800",
     "Total", "total,customer=a"],
)  # fmt: skip
def test_what_names_no_node(text: str) -> None:
    with pytest.raises(BadNode) as refused:
        NodeId.parse(text)
    assert (refused.value.field, refused.value.value) == ("node", text)


def test_as_it_is_stored_and_what_it_counts_towards() -> None:
    node = NodeId.of({"grade": "S235", "material": "HEB", "organization": "NORD"})
    assert node.node == Node("NORD", None, "HEB", ("S235",))
    assert node.node.within(node.level) == node.values == ("NORD", "HEB", "S235")
    assert str(node.up_to(("organization", "grade"))) == "organization=NORD,grade=S235"
    assert str(node.up_to(())) == "total"
