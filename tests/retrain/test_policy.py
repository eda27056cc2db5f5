"""The policy in tonnage.toml: defaults, challengers by name or from a file, and what is refused."""

import tomllib
from pathlib import Path

import pytest

from retrain.errors import BadPlan
from retrain.plan import LEVELS
from retrain.policy import Policy, parse_policy
from retrain.recipes import shipped_recipes

WHOLE = """
[contest]
challengers = ["theta", "smoothing"]
loss = "absolute"
margin = 0.01
confidence = 0.9
tolerance = 0
protected_levels = "total; organization,customer"
origins = 12
step = 2
"""


def parsed(text: str) -> Policy:
    return parse_policy(tomllib.loads(text), LEVELS)


def test_an_empty_document_gives_the_defaults() -> None:
    assert parsed("") == Policy()


def test_every_setting() -> None:
    pick = shipped_recipes().pick
    protected = ((), ("organization", "customer"))
    assert parsed(WHOLE) == Policy(
        (pick("theta"), pick("smoothing")), "absolute", 0.01, 0.9, 0.0, protected, 12, 2
    )


def test_no_level_may_be_protected() -> None:
    assert parsed("[contest]\nprotected_levels = []").protected == ()


def test_a_challenger_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "tuned.toml"
    file.write_text(
        'default = "tuned"\n[recipes.tuned]\nmembers = ["theta"]\ncalendar = true\nlearned = false\n'
    )
    (tuned,) = parsed(f'[contest]\nchallengers = ["{file}"]').challengers
    assert (tuned.name, tuned.calendar) == ("tuned", True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contest = 3", "contest = 3: write it as a table"),
        ("[contest]\nmargins = 1", "contest.margins = 1: unknown setting; there are challengers, confidence"),
        (
            '[contest]\nchallengers = ["magic"]',
            "contest.challengers = \\['magic'\\]: there is no recipe 'magic'",
        ),
        ('[contest]\nchallengers = ["no.toml"]', "no.toml: there is no such file"),
        ('[contest]\nchallengers = ["theta", "theta"]', "name each recipe once"),
        ("[contest]\nchallengers = 3", "write a list of names"),
        ('[contest]\nloss = "mase"', "contest.loss = 'mase': write one of pinball, absolute"),
        ("[contest]\nloss = []", "write one of pinball, absolute"),
        ("[contest]\nmargin = -0.1", "contest.margin = -0.1: write a share from 0 to below 1"),
        ("[contest]\nmargin = nan", "contest.margin = nan: write a share"),
        ("[contest]\nconfidence = 0.2", "contest.confidence = 0.2: write a share from 0.5 to below 1"),
        ("[contest]\nconfidence = true", "contest.confidence = True"),
        ("[contest]\ntolerance = 1", "contest.tolerance = 1"),
        ('[contest]\nprotected_levels = "plant"', "'plant' is no level of the plan; there are total; "),
        ('[contest]\nprotected_levels = ["a,,b"]', "names no key"),
        ("[contest]\norigins = 0", "contest.origins = 0: write a number from 1 to 120"),
        ("[contest]\nstep = 1.5", "contest.step = 1.5: write a number"),
    ],
)
def test_what_makes_no_sense(text: str, message: str) -> None:
    with pytest.raises(BadPlan, match=message):
        parsed(text)
