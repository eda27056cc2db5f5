""".env.example lists every setting with its default, and nothing else."""

from pathlib import Path

from pydantic_settings import BaseSettings

from app.settings import Settings as ServiceSettings
from tonnage.settings import Settings

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"


def fields(kind: type[BaseSettings]) -> dict[str, object]:
    prefix = str(kind.model_config["env_prefix"])
    return {prefix + name.upper(): field.default for name, field in kind.model_fields.items()}


def test_every_setting_and_its_default() -> None:
    text = EXAMPLE.read_text()
    listed = [line.removeprefix("# ").split("=", 1) for line in text.splitlines() if "TONNAGE_" in line]
    shown = {name: value for name, value in (pair for pair in listed if len(pair) == 2) if name.isupper()}
    defaults = fields(Settings) | fields(ServiceSettings)
    assert shown.keys() == defaults.keys()
    for name, default in defaults.items():
        if default is not None:
            assert shown[name] == str(default), name
