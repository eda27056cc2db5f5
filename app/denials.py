"""Questions that are fine, to which whoever asks may not have the answer.

Denied
├── Unidentified        nobody knows who is asking
│   ├── NoCredentials   nothing says who
│   ├── UnknownKey      no such API key
│   ├── KeyOver         an API key that has expired or was revoked
│   ├── BadToken        a token that does not hold
│   └── SessionOver     a cookie of the page that is no longer good, or never was
├── FromElsewhere       another page has made the browser ask
├── RoleTooLow          who is asking has a lesser role
├── OverOrganizations   the answer sums over organizations, some of which are not the asker's
├── ForeignLevel        the level sums over organizations, some of which are not the asker's
└── NoRule              nobody has said who may ask this
"""

from collections.abc import Iterable, Sequence

from app.errors import Denied

_MAKE_ONE = "whoever runs this service makes keys by: tonnage keys create"


class Unidentified(Denied):
    """Nobody knows who is asking. `error` is the word of RFC 6750 for it, empty where nothing was sent."""

    error = "invalid_token"


class NoCredentials(Unidentified):
    """Nothing in the request says who is asking."""

    error = ""

    def __init__(self) -> None:
        super().__init__(
            "the request does not say who is asking",
            f"send the header Authorization: Bearer KEY; {_MAKE_ONE}",
            field="Authorization",
        )


class UnknownKey(Unidentified):
    """No API key is called so, or its secret is another; the two look the same."""

    def __init__(self) -> None:
        super().__init__(
            "nobody has this key", f"send a key as it was shown; {_MAKE_ONE}", field="Authorization"
        )


class KeyOver(Unidentified):
    """A real API key, which is no longer good."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"the key {name!r} {what}", f"ask for another; {_MAKE_ONE}", field="Authorization")


class BadToken(Unidentified):
    """A token that does not hold."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the token does not hold: {why}", "sign in again, and send the new token", field="Authorization"
        )


class SessionOver(Unidentified):
    """A cookie of the page that is no longer good, or never was."""

    error = ""

    def __init__(self) -> None:
        super().__init__("the session is over", "sign in again: /sign-in", field="Cookie")


class FromElsewhere(Denied):
    """Another page has made the browser ask, or something that is no browser shows a browser's cookie."""

    def __init__(self) -> None:
        super().__init__(
            "this was not asked by the page itself",
            "open the page and ask there; programs send the header Authorization: Bearer KEY",
            field="Origin",
        )


class RoleTooLow(Denied):
    """Who is asking has a lesser role than the question needs."""

    def __init__(self, role: str, least: str) -> None:
        super().__init__(
            f"this is for the role {least}, you are {role}", f"ask with a key of the role {least}"
        )


class OverOrganizations(Denied):
    """The answer sums over all organizations, and who is asking sees some."""

    def __init__(self, organizations: Iterable[str]) -> None:
        yours = ", ".join(sorted(organizations)) or "none"
        super().__init__(
            f"the answer sums over all organizations, you see: {yours}",
            "ask with a key that sees all organizations",
        )


class ForeignLevel(Denied):
    """The level sums over organizations, and who is asking sees some."""

    def __init__(self, level: str, naming: Sequence[str]) -> None:
        super().__init__(
            f"level {level!r} sums over organizations that are not yours",
            f"ask for one of: {'; '.join(naming)}"
            if naming
            else "ask with a key that sees all organizations",
            field="level",
            value=level,
        )


class NoRule(Denied):
    """Nobody has said who may ask this, so nobody may."""

    def __init__(self, question: str) -> None:
        super().__init__(f"nobody may ask {question}", "see /docs for what may be asked")
