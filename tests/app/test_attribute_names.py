"""Which names and values attributes may have: all that can be asked for, read back and put in an index."""

import csv
import datetime as dt
import io
from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from app.errors import Unpublishable
from app.export.files import forecast_file
from app.export.form import Kind, form_of
from app.store import tables
from app.store.cells import runs_as_formula
from app.store.keys import KEYS, RESERVED
from app.store.publish import publish
from app.store.read import Reader, reading
from app.store.selection import Selection, select_from
from forecasting.forecast import Forecast
from forecasting.hierarchy import Level
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]
type MakeForecast = Callable[[Level, Sequence[str], Sequence[Level]], Forecast]

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
NUMBERS = count()


class TestNames:
    @pytest.mark.parametrize(
        "name",
        ["x') or true --", "'", '"', "%(x)s", ":x", "größe 🙂", "<b>", "position", "attributes", "id",
         "first", "where", "model_config", "__class__", "nodes", "Material"],
    )  # fmt: skip
    def test_any_plain_name_is_served(
        self, client: TestClient, engine: Engine, make_run: MakeRun, make_forecast: MakeForecast, name: str
    ) -> None:
        levels = ("total", name, f"material,{name}")
        leaves = [("a", "x"), ("b", "x"), ("c", "y")]
        publish(engine, make_run(forecast=make_forecast(("material", name), levels, leaves)), PUBLISHED)
        answer = client.get("/v1/forecasts", params={"level": f"{name},material", name: "x"})
        assert [(row["material"], row[name]) for row in answer.json()["forecasts"]] == leaves[:2]
        answer = client.get("/v1/forecasts", params={"level": name, name: "y", "format": "csv"})
        assert answer.headers["content-disposition"].isascii()
        (row,) = csv.DictReader(io.StringIO(answer.text))
        assert (row["mean"], list(row.values())[6]) == ("100.0", "y")

    def test_what_answers_call_something_else_is_reserved(
        self, client: TestClient, published: ForecastRun
    ) -> None:
        header = client.get("/v1/forecasts?format=csv").text.splitlines()[0].split(",")
        paths = client.get("/openapi.json").json()["paths"]
        parameters = [
            *paths["/v1/forecasts"]["get"]["parameters"],
            *paths["/v1/nodes"]["get"]["parameters"],
        ]
        members = [*client.get("/v1/forecasts").json()["forecasts"][0], "p10", "p50", "p97_5"]
        members += client.get("/v1/nodes").json()["nodes"][0]
        wide = client.get("/v1/forecasts?format=csv&shape=wide").text.splitlines()[0].split(",")
        header += [name for name in wide if not name.startswith("2026-")]
        taken = {*header, *members, *(one["name"] for one in parameters if one["name"] != "attributes")}
        assert taken == RESERVED | set(KEYS) | {"p10", "p50", "p97_5"}

    @pytest.mark.parametrize(
        "name", [*sorted(RESERVED), "p50", "p97_5", "2026-11", "a=b", " a", "a\n", "a\0", "\u200b"]
    )
    def test_others_are_refused(
        self, engine: Engine, make_run: MakeRun, make_forecast: MakeForecast, name: str
    ) -> None:
        run = make_run(forecast=make_forecast((name,), ("total",), [("x",)]))
        with pytest.raises(Unpublishable) as refused:
            publish(engine, run, PUBLISHED)
        assert refused.value.field == name


class TestValues:
    # Not to be compressed, so that the index entry is as long as can be.
    LONGEST = "".join(np.random.default_rng(7).choice(list("0123456789abcdefghijklmnopqrstuvwxyz"), 1999))

    @pytest.mark.parametrize(
        ("value", "said"), [(f"{LONGEST}x", "too long"), ("ü" * 1000, "too long"), ("a\0", "NUL")]
    )
    def test_that_postgresql_cannot_hold(
        self, engine: Engine, make_run: MakeRun, make_forecast: MakeForecast, value: str, said: str
    ) -> None:
        forecast = make_forecast(
            ("material", "grade"), ("total", "material,grade"), [("a", value), ("b", "x")]
        )
        with pytest.raises(Unpublishable, match=said) as refused:
            publish(engine, make_run(forecast=forecast), PUBLISHED)
        assert refused.value.field == "grade"

    @pytest.mark.parametrize("keys", [("material", "grade"), ("material", "customer"), tuple("abcdefghij")])
    def test_the_longest_that_it_holds(
        self, engine: Engine, make_run: MakeRun, make_forecast: MakeForecast, keys: tuple[str, ...]
    ) -> None:
        leaf = (*("k" for _ in keys[1:]), self.LONGEST[: 2001 - len(keys)])
        forecast = make_forecast(keys, ("total", ",".join(keys)), [leaf])
        publish(engine, make_run(forecast=forecast), PUBLISHED)
        with reading(engine) as reader:
            selection = select_from(reader.current_run(), level=",".join(keys), where={keys[-1]: leaf[-1]})
            (ids,) = reader.id_slices(selection, 10)
            assert len(ids) == 1

    def test_tell_nodes_apart_and_nodes_are_shared(
        self, engine: Engine, make_run: MakeRun, make_forecast: MakeForecast
    ) -> None:
        names, levels = ("material", "grade"), ("total", "grade", "material,grade")
        first = make_forecast(names, levels, [("a", "x"), ("b", "x"), ("c", "y")])
        moved = make_forecast(names, levels, [("a", "x"), ("b", "y"), ("c", "y")])
        for number, (forecast, known) in enumerate([(first, 6), (moved, 7), (first, 7)]):
            publish(engine, make_run(f"2026-10-{number}", forecast=forecast), PUBLISHED)
            with engine.connect() as connection:
                assert connection.scalar(select(func.count()).select_from(tables.node)) == known


def file_of(reader: Reader, selection: Selection, kind: Kind) -> bytes:
    form = form_of(kind)
    assert form is not None
    return b"".join(forecast_file(reader, selection, form).pieces)


def as_text(value: str) -> str:
    return f"'{value}" if runs_as_formula(value) else value


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4)


@settings(max_examples=60)
@given(st.sets(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=6), st.integers(1, 3))
def test_any_text_comes_back_in_order(
    migrated: Engine, make_forecast: MakeForecast, leaves: set[tuple[str, str, str]], limit: int
) -> None:
    keys = ("grade", "material", "material_group")
    level = "material,grade,material_group"
    forecast = make_forecast(keys, ("total", "material_group", level), sorted(leaves))
    run = ForecastRun(f"any-{next(NUMBERS)}", forecast, "s", "m", "t", "b")
    publish(migrated, run, PUBLISHED)
    expected = sorted((material, grade, group) for grade, material, group in leaves)
    with reading(migrated) as reader:
        selection = select_from(reader.current_run(), level=level, where={})
        met, page = [], reader.nodes(selection, limit)
        while True:
            met += [(node.material, *node.attributes) for node in page.rows]
            if page.after is None:
                break
            page = reader.nodes(selection, limit, page.after)
        assert met == expected
        cells = csv.DictReader(io.StringIO(file_of(reader, selection, "csv").decode(), newline=""))
        names = ("material", "grade", "material_group")
        assert [tuple(row[name] for name in names) for row in cells] == [
            tuple(map(as_text, row)) for row in expected
        ]
        assert pl.read_parquet(file_of(reader, selection, "parquet")).select(names).rows() == expected
        for material, grade, group in expected:
            where = {"grade": grade, "material_group": group}
            found = reader.nodes(select_from(selection.run, level=level, where=where), 10).rows
            assert material in [node.material for node in found]
            assert {node.attributes for node in found} == {(grade, group)}
