"""What the documents say can be done can be done."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

from ingestion.master_config import parse_master
from ingestion.snapshot_config import parse_snapshots
from ingestion.source_config import parse_demand, parse_sources
from retrain.plan import parse_plan
from retrain.policy import Policy, parse_policy
from retrain.recipes import find_recipe

DOCS = Path(__file__).resolve().parents[1] / "docs"
ENVIRONMENT = {"ERP_URL": "postgresql://reader:secret@db/erp"}


def test_the_configuration_of_the_page_on_ingestion_can_be_followed() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (DOCS / "ingestion.md").read_text(), re.DOTALL)
    document = tomllib.loads("\n".join(blocks))
    (source,) = parse_sources(document, ENVIRONMENT)
    assert (source.name, source.limits) == ("erp", {"unknown unit": 0.001})
    assert [each.key for each in parse_master(document, ENVIRONMENT)] == ["customer", "material"]
    assert parse_snapshots(document).max_change == 0.1
    assert parse_demand(document) == "t"
    assert ("organization", "material_group") in parse_plan(document).levels


def test_the_contest_of_the_page_on_the_month_can_be_held() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", (DOCS / "month.md").read_text(), re.DOTALL)
    policy = parse_policy(tomllib.loads(block), parse_plan({}).levels)
    assert policy == replace(Policy((find_recipe("ensemble-theta"),)), protected=((), ("organization",))), (
        "the page shows the defaults, but for what has none"
    )
