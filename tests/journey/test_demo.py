"""The demo on its embedded database: it ends well, and a second run finds what the first one made."""

import re
from pathlib import Path

import polars as pl
import pytest

from tests.journey.conftest import World
from tonnage.cli import main

README = Path(__file__).resolve().parents[2] / "README.md"


def shown_in_readme(command: str) -> str:
    """What the README shows below a command."""
    block = re.search(rf"```console\n\$ {re.escape(command)}\n(.*?)```", README.read_text(), re.DOTALL)
    assert block is not None
    return block[1].strip()


def plain(text: str) -> str:
    """Without its digits, for what is drawn, and without trailing blanks."""
    return "\n".join(re.sub(r"[\d,.]+", "9", line).rstrip() for line in text.strip().splitlines())


def numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*\.?\d*", text)]


def test_twice(
    demo: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = demo.printed
    shown = shown_in_readme("uv run tonnage demo --no-serve")
    drawn = r"[▁▂▃▄▅▆▇█|]+ │"
    assert re.sub(drawn, "", plain(first)) == re.sub(drawn, "", plain(shown))
    assert numbers(first) == pytest.approx(numbers(shown), rel=1e-3)
    assert re.search(r"Run 2026-10-[0-9a-f]{12} published", first)
    for reason, count in {"unknown unit": 6, "not a number": 5, "missing key": 4, "missing date": 4}.items():
        assert re.search(rf"{count}\s+{reason}", first)

    monkeypatch.setenv("TONNAGE_HOME", str(demo.home))
    monkeypatch.delenv("TONNAGE_DATABASE_URL", raising=False)
    assert main(["demo", "--no-serve"]) == 0
    second = capsys.readouterr().out
    assert "was published before, nothing changed" in second
    assert first.splitlines()[-12:] == second.splitlines()[-12:]

    assert main(["export", "--level", "organization", "--output", str(tmp_path / "out.csv")]) == 0
    table = pl.read_csv(tmp_path / "out.csv")
    assert table["organization"].unique().sort().to_list() == ["NORD", "OST", "SUED", "WEST"]
    assert table.height == 4 * 12
