"""The demo on its embedded database: it ends well, and a second run finds what the first one made."""

import re
from pathlib import Path

import polars as pl
import pytest

from tonnage.cli import main


def test_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TONNAGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TONNAGE_DATABASE_URL", raising=False)
    assert main(["demo", "--no-serve"]) == 0
    first = capsys.readouterr().out
    assert re.search(r"Run 2026-10-[0-9a-f]{12} published", first)
    for reason, count in {"unknown unit": 6, "not a number": 5, "missing key": 4, "missing date": 4}.items():
        assert re.search(rf"{count}\s+{reason}", first)

    assert main(["demo", "--no-serve"]) == 0
    second = capsys.readouterr().out
    assert "was published before, nothing changed" in second
    assert first.splitlines()[-12:] == second.splitlines()[-12:]

    assert main(["export", "--level", "organization", "--output", str(tmp_path / "out.csv")]) == 0
    table = pl.read_csv(tmp_path / "out.csv")
    assert table["organization"].unique().sort().to_list() == ["NORD", "OST", "SUED", "WEST"]
    assert table.height == 4 * 12
