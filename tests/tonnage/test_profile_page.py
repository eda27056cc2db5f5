"""The profile as a page: well-formed, by itself, safe with any text, legible, with the tables' numbers."""

import datetime as dt
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from forecasting.months import Month
from ingestion.blobs import open_blobs
from ingestion.order_line import LINES, REJECTS
from ingestion.profile import Profile, profile
from ingestion.snapshot import Snapshot
from ingestion.snapshot_errors import UnknownSnapshot
from ingestion.snapshot_store import SnapshotStore
from ingestion.units import DemandUnit
from tonnage.amounts import Amounts
from tonnage.cli import DONE, YOUR_MISTAKE, main
from tonnage.errors import BadOutput
from tonnage.page_parts import counted, name, share
from tonnage.page_style import STYLE
from tonnage.profile_file import profile_snapshot
from tonnage.profile_page import SnapshotTitle, profile_page

OCTOBER = Month(2026, 10)
TITLE = SnapshotTitle("ab" * 32, "2026-11-03 12:00 UTC", "0.2.0")
NASTY = (
    "<script>alert(1)</script>",
    "K\"' onmouseover=x",
    "Walzwerk " * 40,
    "a\x00b\n\u202ec",
    "שלום",
    "🏗 & co",
)

type Row = tuple[object, ...]


def day(month: Month, number: int = 5) -> dt.date:
    return dt.date(month.year, month.month, number)


ORDINARY: list[Row] = [
    (
        source,
        f"{source} {step} {at}",
        "NORD",
        f"K-{at % 5}",
        "COIL",
        day(OCTOBER - step),
        1_000 * (at + step + 1),
    )
    for source, life in (("erp", range(40)), ("old", range(20, 60)))
    for step in life
    if (source, step) != ("old", 33)
    for at in range(7)
] + [("erp", "back", "NORD", "K-1", "COIL", day(OCTOBER), -2_500)]
NASTY_LINES: list[Row] = [
    (
        NASTY[at % 6],
        f"{NASTY[at % 6]} {at}",
        NASTY[at % 5],
        NASTY[at % 6],
        NASTY[at % 4],
        day(OCTOBER - at % 30),
        10**at % 10**12,
    )
    for at in range(90)
]
REJECTED: list[Row] = [
    ("unknown unit", text, text, "unit", text * 2_000, None) for text in (*NASTY, "erp")
] + [("missing date", "erp", None, "date", None, 7)]
CASES: dict[str, tuple[list[Row], list[Row]]] = {
    "ordinary": (ORDINARY, REJECTED[-1:]),
    "empty": ([], []),
    "rejects only": ([], REJECTED),
    "one month": ([row for row in ORDINARY if row[5] == day(OCTOBER)], []),
    "one line": (ORDINARY[:1], []),
    "one source": ([row for row in ORDINARY if row[0] == "old"], []),
    "returns only": ([(*ORDINARY[0][:6], -4)], []),
    "zeros": ([(*ORDINARY[0][:6], 0)], []),
    "placeholder date": ([*ORDINARY, (*ORDINARY[0][:1], "1970", "N", "K", "M", dt.date(1970, 1, 1), 3)], []),
    "nasty": (NASTY_LINES, REJECTED),
}


def of(lines: list[Row], rejects: list[Row], demand: DemandUnit = DemandUnit.TONNE) -> Profile:
    return profile(
        pl.DataFrame(lines, schema=LINES, orient="row"),
        pl.DataFrame(rejects, schema=REJECTS, orient="row"),
        OCTOBER,
        demand,
    )


class Tree(HTMLParser):
    """Checks that every element is closed in its turn, and keeps what a browser would act on."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.ids: list[str] = []
        self.anchors: list[str] = []
        self.unlabelled = 0
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.add(tag)
        self.attributes |= set(known)
        if identity := known.get("id"):
            self.ids.append(identity)
        if tag == "a":
            self.anchors.append(known["href"] or "")
        scrolls = known.get("class") == "scroll"
        if (scrolls or known.get("role") == "img") and not known.get("aria-label"):
            self.unlabelled += 1
        if scrolls:
            assert known["tabindex"] == "0"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("demand", DemandUnit)
def test_every_page_is_well_formed_and_needs_nothing_else(case: str, demand: DemandUnit) -> None:
    page = profile_page(of(*CASES[case], demand), TITLE)
    tree = Tree(page)
    assert tree.tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "form", "base"})
    assert not {each for each in tree.attributes if each.startswith("on")} | (
        tree.attributes & {"src", "srcset", "action", "xlink:href"}
    )
    for reference in ("http://", "https://", "url(", "@import"):
        assert reference not in page
    assert [anchor.removeprefix("#") for anchor in tree.anchors] == tree.ids
    assert tree.unlabelled == 0
    assert not re.search(r"\b(nan|inf|None)\b", re.sub(r"<p>None\.</p>", "", page))
    assert "\x00" not in page
    assert len(page) < 400_000


def test_text_from_the_data_is_text_and_short() -> None:
    page = profile_page(of(NASTY_LINES, REJECTED), TITLE)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "Walzwerk " * 23 not in page
    assert name("Walzwerk " * 40).startswith('<bdi title="Walzwerk Walz')
    assert name("a\x00\u202eb") == '<bdi class="short">a��b</bdi>'
    assert name(None) == '<span class="none">empty</span>'


def cells(page: str, label: str) -> list[list[str]]:
    """The body of the table that a label names, without its tags."""
    table = re.search(rf'aria-label="{re.escape(label)}".*?<tbody>(.*?)</tbody>', page)
    assert table is not None
    rows = re.findall(r"<tr>(.*?)</tr>", table[1])
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row)] for row in rows]


def test_the_page_says_the_numbers_of_the_tables() -> None:
    found = of(*CASES["ordinary"])
    page = profile_page(found, TITLE)
    assert cells(page, "Sources") == [
        ["erp", "281", "6,578", "35.6%", "2023-07", "2026-10", "40", "100.0%", "0", "1", "0.4%"],
        ["old", "273", "11,921", "64.4%", "2021-11", "2025-02", "39", "65.0%", "1", "0", "0.0%"],
    ]
    by_hand = sum(int(str(row[6])) for row in ORDINARY)
    assert f"<dt>Tonnes</dt><dd>{by_hand / 1000:,.0f}</dd>" in page
    assert cells(page, "Total by month")[-1] == ["2026-10", "8", "25.5"]
    assert cells(page, "Returns by month")[-1] == ["2026-10", "1", "2.500", "8.9%"]
    assert 'Source <bdi class="short">old</bdi> has no line in 2024-01.' in page
    assert "is silent after 2025-02, for 20 months" in page
    assert page.count('class="gap">gap') == 1
    assert "2021-11 to 2026-10, 60 months" in page
    heights = [float(text) for text in re.findall(r'<rect class="bar-o[^>]* height="([\d.]+)"', page)[:60]]
    totals = found.totals["quantity"].to_list()
    top = heights[totals.index(max(totals))]
    assert heights == pytest.approx([top * total / max(totals) for total in totals], abs=0.11)


def test_an_axis_holds_its_bars() -> None:
    page = profile_page(of(*CASES["ordinary"]), TITLE)
    charts = re.findall(r'<div class="area".*?</div>', page)
    assert len(charts) == 8
    for chart in charts:
        places = re.findall(r'<rect [^>]* y="([\d.]+)" height="([\d.]+)"', chart)
        assert all(float(y) >= 0 and float(y) + float(height) <= 1000.1 for y, height in places)
        ticks = [float(text) for text in re.findall(r'class="y" style="bottom:([\d.]+)%', chart)]
        assert (ticks[0], ticks[-1], ticks == sorted(ticks)) == (0.0, 100.0, True)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_and_marks_have_the_contrast_of_wcag_aa(scheme: int) -> None:
    block = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[scheme]
    colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    for ground in ("page", "panel"):
        for word in ("ink", "soft", "ours", "good", "bad"):
            assert contrast(colour[word], colour[ground]) >= 4.5, (word, ground)
    for ground in ("heat-1", "heat-2", "heat-3", "heat-4", "heat-5", "warn", "stripe"):
        assert contrast(colour["ink"], colour[ground]) >= 4.5, ground
    for mark in ("ours", "naive", "bar", "bar-two", "odd", "y1", "y2", "y3", "y4", "y5"):
        assert contrast(colour[mark], colour["panel"]) >= 3, mark


def test_figures_are_written_for_people() -> None:
    tonnes, pieces = Amounts(DemandUnit.TONNE), Amounts(DemandUnit.PIECE)
    assert tonnes.texts([1_234_567, 400, -300, 0, None]) == ["1,235", "<1", ">-1", "0", "–"]
    assert tonnes.texts([99_000, 1]) == ["99.000", "0.001"]
    assert tonnes.texts([100_000, 1_250]) == ["100.0", "1.2"]
    assert (pieces.text(1_234), pieces.unit) == ("1,234", "pieces")
    assert (share(1, 3), share(0, 3), share(1, 0), share(1, 10_000)) == ("33.3%", "0.0%", "–", "<0.1%")
    assert (counted(1, "line"), counted(2_000, "line")) == ("1 line", "2,000 lines")


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(open_blobs(tmp_path / "home" / "snapshots"))


@pytest.fixture
def kept(store: SnapshotStore, sealed: Callable[..., Snapshot]) -> Callable[..., Snapshot]:
    def write(rows: list[Row], month: Month = OCTOBER) -> Snapshot:
        lines = pl.DataFrame(rows, schema=LINES, orient="row")
        return store.write(sealed(lines, month=month, store=store))

    return write


def test_the_newest_snapshot_or_the_one_that_is_named(
    store: SnapshotStore, kept: Callable[..., Snapshot], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    with pytest.raises(UnknownSnapshot, match="newest"):
        profile_snapshot(store, None, page)
    one, two = kept(ORDINARY), kept(ORDINARY[:-1])
    newest = store.newest()
    assert newest is not None and newest.id in {one.id, two.id}
    assert profile_snapshot(store, None, page).snapshot == newest.id
    assert profile_snapshot(store, one.id[:12], page).snapshot == one.id


def test_an_output_that_cannot_be_is_refused(store: SnapshotStore, kept: Callable[..., Snapshot]) -> None:
    kept(ORDINARY)
    for output in ("page.txt", "no/such/page.html"):
        with pytest.raises(BadOutput):
            profile_snapshot(store, None, Path(output))


def test_the_command_writes_the_page_and_says_where(
    kept: Callable[..., Snapshot],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TONNAGE_HOME", str(tmp_path / "home"))
    assert main(["profile"]) == YOUR_MISTAKE
    assert "holds no snapshot" in capsys.readouterr().err
    snapshot = kept(ORDINARY)
    assert main(["profile"]) == DONE
    said = capsys.readouterr().out
    page = tmp_path / f"profile-{snapshot.id[:12]}.html"
    assert page.name in said
    assert f"Snapshot {snapshot.id[:12]} up to 2026-10: 554 lines, 18,498 t, 5 leaves" in said
    first = page.read_bytes()
    Tree(first.decode())
    assert main(["profile", snapshot.id[:6], "--output", "again.html"]) == DONE
    assert (tmp_path / "again.html").read_bytes() == first
