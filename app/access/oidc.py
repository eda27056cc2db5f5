"""Tokens that the company's own sign-in has issued (OpenID Connect): who holds one, and what they may do.

Roles are values of the claim `roles`: tonnage-viewer and so on, of which the highest counts, and
tonnage-organization:NORD for each organization whose nodes the holder sees. Without one they see all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from jwt import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    MissingRequiredClaimError,
    PyJWT,
    PyJWTError,
    get_unverified_header,
)

from app.access.caller import Caller, Role
from app.access.signing_keys import SigningKeys
from app.denials import BadToken
from app.errors import BadIssuerSettings

ALGORITHMS = ("RS256", "ES256")
"""Never what the token says: with none, or with the public key as a secret, anybody can sign."""

LEEWAY_SECONDS = 60

_REQUIRED = ("iss", "aud", "sub", "exp", "iat")
_OURS = "tonnage-"
_ORGANIZATION = "tonnage-organization:"
_ROLES = {f"{_OURS}{role.name.lower()}": role for role in Role}
_LONGEST = 255
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
# What each fault is called; the library's own words may repeat what is in the token.
_FAULTS: Mapping[type[Exception], str] = {
    ExpiredSignatureError: "it has expired",
    ImmatureSignatureError: "it is not valid yet",
    InvalidAudienceError: "it is for another audience",
    InvalidIssuerError: "it is of another issuer",
    InvalidSignatureError: "its signature is not the issuer's",
}


@dataclass(frozen=True)
class Tokens:
    """Knows callers by tokens of one issuer, made out to one audience."""

    issuer: str
    audience: str
    keys: SigningKeys

    def caller(self, token: str) -> Caller:
        """Who holds the token; raises `BadToken` and `IssuerUnavailable`."""
        try:
            claims = self._claims(token)
        except MissingRequiredClaimError as error:
            raise BadToken(f"it has no claim {error.claim}") from None
        except (PyJWTError, ValueError, TypeError) as error:
            raise BadToken(_FAULTS.get(type(error), "it cannot be read")) from None
        subject = claims["sub"]
        if not 0 < len(subject) <= _LONGEST or not subject.isprintable():
            raise BadToken("its claim sub is empty, too long or not printable")
        role, organizations = _granted(claims.get("roles"))
        return Caller(f"oidc:{subject}", role, organizations)

    def _claims(self, token: str) -> dict[str, Any]:
        reader = PyJWT({"enforce_minimum_key_length": True})
        header = get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise BadToken(f"it is signed by another algorithm than {' or '.join(ALGORITHMS)}")
        key_id = header.get("kid")
        key = self.keys.find(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise BadToken("it is signed by no key of the issuer")
        return reader.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=self.audience,
            issuer=self.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": list(_REQUIRED)},
        )


def open_issuer(
    issuer: str | None, audience: str | None, jwks_url: str | None, seconds: Callable[[], float]
) -> Tokens | None:
    """Whose tokens are taken, None if nobody's; raises `BadIssuerSettings`."""
    named = {
        "TONNAGE_OIDC_ISSUER": issuer,
        "TONNAGE_OIDC_AUDIENCE": audience,
        "TONNAGE_OIDC_JWKS_URL": jwks_url,
    }
    if not any(named.values()):
        return None
    for name, value in named.items():
        if not value:
            raise BadIssuerSettings(name, "it is not set, and others of its kind are")
    place = urlsplit(jwks_url or "")
    if place.scheme != "https" and not (place.scheme == "http" and place.hostname in _LOOPBACK):
        raise BadIssuerSettings("TONNAGE_OIDC_JWKS_URL", "it is not an https URL")
    return Tokens(issuer or "", audience or "", SigningKeys(jwks_url or "", seconds))


def _granted(roles: object) -> tuple[Role, frozenset[str] | None]:
    """The highest role, and the organizations; a role of ours that is misspelt must not show more."""
    if not isinstance(roles, list) or not all(isinstance(each, str) for each in roles):
        raise BadToken("it has no claim roles that is a list of texts")
    found: set[Role] = set()
    organizations: set[str] = set()
    for each in roles:
        if each in _ROLES:
            found.add(_ROLES[each])
        elif each.startswith(_ORGANIZATION):
            organizations.add(_organization(each.removeprefix(_ORGANIZATION)))
        elif each.lower().startswith(_OURS):
            raise BadToken(f"there is no role {each!r}")
    if not found:
        raise BadToken(f"it names no role of {', '.join(_ROLES)}")
    return max(found), frozenset(organizations) or None


def _organization(text: str) -> str:
    """An organization; percent signs write what the issuer takes in no role, as in S%C3%9CD."""
    try:
        organization = unquote(text, errors="strict")
    except UnicodeDecodeError:
        organization = ""
    if not organization or not organization.isprintable():
        raise BadToken(f"there is no organization {text!r}")
    return organization
