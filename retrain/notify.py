"""Whom to tell, as `[notify]` of tonnage.toml states it; addresses are secrets and stay outside of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from retrain.errors import BadPlan
from retrain.messages import Occasion
from retrain.plan import section, texts

_ENVIRONMENT = "env:"
_OCCASIONS: tuple[Occasion, ...] = get_args(Occasion.__value__)


@dataclass(frozen=True)
class Address:
    """Where to send messages; only its kind, such as `mailtos`, may ever be shown."""

    url: str

    @property
    def kind(self) -> str:
        return self.url.partition(":")[0]

    def __repr__(self) -> str:
        return f"Address({self.kind}://…)"


@dataclass(frozen=True)
class Notifications:
    """Who is told, and on which occasions."""

    addresses: tuple[Address, ...] = ()
    occasions: tuple[Occasion, ...] = _OCCASIONS


def parse_notifications(document: Mapping[str, object], environment: Mapping[str, str]) -> Notifications:
    """What `[notify]` says; raises `BadPlan`, which never shows what is in the environment.

    Each of `urls` names a variable, `env:NAME`, which holds addresses as Apprise writes them, with blanks
    between them.
    """
    given = section(document, "notify", ("events", "urls"))
    addresses: list[Address] = []
    for text in texts("notify.urls", given["urls"], ",") if given.get("urls") else []:
        name = text.removeprefix(_ENVIRONMENT).strip()
        if not text.startswith(_ENVIRONMENT) or not name:
            # What stands here by mistake is likely a secret.
            remedy = 'write urls = ["env:NAME"] and keep the addresses, which are secrets, in that variable'
            raise BadPlan("notify.urls", "…", remedy)
        found = environment.get(name, "").split()
        if not found or not all("://" in url for url in found):
            what = "holds what is no address" if found else "is not set"
            remedy = f"the environment variable {what}; set it to addresses such as mailtos://… or json://…"
            raise BadPlan("notify.urls", text, remedy)
        addresses += map(Address, found)
    return Notifications(tuple(addresses), _occasions(given.get("events", list(_OCCASIONS))))


def _occasions(value: object) -> tuple[Occasion, ...]:
    named = [] if value == [] else texts("notify.events", value, ",")
    for name in named:
        if name not in _OCCASIONS:
            raise BadPlan("notify.events", value, f"there is no {name!r}; there are {', '.join(_OCCASIONS)}")
    return tuple(known for known in _OCCASIONS if known in named)
