"""Tokens of an issuer, whose keys come from a real server: which hold, and what their holders may do."""

import base64
import datetime as dt
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from sqlalchemy import Engine
from structlog.testing import capture_logs

from app.access.caller import Caller, Role
from app.access.oidc import Tokens, open_issuer
from app.access.signing_keys import AGAIN_SECONDS, FRESH_SECONDS, LAST_SECONDS, SigningKeys
from app.denials import BadToken
from app.errors import BadIssuerSettings, IssuerUnavailable
from app.main import create_app
from app.surroundings import Surroundings
from tonnage import clock
from tonnage.cli import YOUR_MISTAKE, main

ISSUER, AUDIENCE = "https://sign-in.example.com/v2.0", "tonnage-api"
RSA_KEY, OTHER_KEY = (rsa.generate_private_key(65537, 2048) for _ in range(2))
EC_KEY = ec.generate_private_key(ec.SECP256R1())
NAMES = ("TONNAGE_OIDC_ISSUER", "TONNAGE_OIDC_AUDIENCE", "TONNAGE_OIDC_JWKS_URL")


def public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, key_id: str, **facts: str) -> dict[str, Any]:
    """A key as an issuer publishes it."""
    if isinstance(key, rsa.RSAPrivateKey):
        known = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        known = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**known, "kid": key_id, "use": "sig", **facts}


class Published:
    """What the issuer's server answers now, and how often it was asked."""

    def __init__(self) -> None:
        self.keys = [public(RSA_KEY, "rsa"), public(EC_KEY, "ec")]
        self.answer: tuple[int, bytes] | None = None
        self.asked = 0
        self.now = 1000.0
        self.url = ""

    def seconds(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    """What is logged; commands of other tests may have left a stream that is closed by now."""
    with capture_logs() as found:
        yield found


@pytest.fixture
def published() -> Iterator[Published]:
    state = Published()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked += 1
            good = 200, json.dumps({"keys": state.keys}).encode()
            status, body = good if self.path == "/elsewhere" else state.answer or good
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/keys"
    yield state
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def issuer(published: Published) -> Tokens:
    return Tokens(ISSUER, AUDIENCE, SigningKeys(published.url, published.seconds))


def claims(**changes: object) -> dict[str, Any]:
    """What a good token says; a change to None leaves the claim out."""
    now = int(clock.now().timestamp())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "7f3a",
        "exp": now + 600,
        "iat": now,
        "nbf": now,
        "roles": ["tonnage-viewer"],
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def token(key: Any = RSA_KEY, algorithm: str = "RS256", key_id: str | None = "rsa", **changes: object) -> str:
    return jwt.encode(claims(**changes), key, algorithm, headers={} if key_id is None else {"kid": key_id})


def in_seconds(seconds: float) -> int:
    return int((clock.now() + dt.timedelta(seconds=seconds)).timestamp())


def part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def by_hand(header: object, content: object, secret: bytes) -> str:
    """A token signed with a shared secret, which the library refuses to make of a public key."""
    signed = f"{part(header)}.{part(content)}"
    signature = hmac.new(secret, signed.encode(), sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


class TestGoodTokens:
    def test_both_algorithms(self, issuer: Tokens, published: Published) -> None:
        viewer = Caller("oidc:7f3a", Role.VIEWER, None)
        assert issuer.caller(token()) == viewer
        assert issuer.caller(token(EC_KEY, "ES256", "ec")) == viewer
        assert issuer.caller(token(aud=["another", AUDIENCE], nbf=None)) == viewer
        assert published.asked == 1

    @pytest.mark.parametrize(
        ("roles", "role", "organizations"),
        [
            (["tonnage-viewer", "tonnage-operator", "tonnage-planner"], Role.OPERATOR, None),
            (["tonnage-admin", "crm-user"], Role.ADMIN, None),
            (["tonnage-planner", "tonnage-organization:NORD"], Role.PLANNER, {"NORD"}),
            (
                ["tonnage-organization:S%C3%9CD", "tonnage-organization:A B:C", "tonnage-viewer"],
                Role.VIEWER,
                {"SÜD", "A B:C"},
            ),
        ],
    )
    def test_roles(
        self, issuer: Tokens, roles: list[str], role: Role, organizations: set[str] | None
    ) -> None:
        seen = None if organizations is None else frozenset(organizations)
        assert issuer.caller(token(roles=roles)) == Caller("oidc:7f3a", role, seen)

    def test_clocks_may_differ_by_a_minute(self, issuer: Tokens) -> None:
        issuer.caller(token(exp=in_seconds(-40)))
        issuer.caller(token(nbf=in_seconds(40), iat=in_seconds(40)))


class TestBadTokens:
    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"aud": "another"}, "another audience"),
            ({"aud": [AUDIENCE + "x"]}, "another audience"),
            ({"iss": ISSUER + "/"}, "another issuer"),
            ({"iss": None}, "no claim iss"),
            ({"aud": None}, "no claim aud"),
            ({"sub": None}, "no claim sub"),
            ({"exp": None}, "no claim exp"),
            ({"iat": None}, "no claim iat"),
            ({"sub": ""}, "sub is empty"),
            ({"sub": "x" * 256}, "too long"),
            ({"sub": "a\0b"}, "not printable"),
            ({"exp": "soon"}, "cannot be read"),
            ({"exp": float("inf")}, "cannot be read"),
            ({"nbf": [1]}, "cannot be read"),
            ({"roles": None}, "no claim roles"),
            ({"roles": "tonnage-admin"}, "no claim roles"),
            ({"roles": ["tonnage-admin", 1]}, "no claim roles"),
            ({"roles": []}, "names no role"),
            ({"roles": ["admin"]}, "names no role"),
            ({"roles": ["tonnage-organization:NORD"]}, "names no role"),
            ({"roles": ["tonnage-root"]}, "no role 'tonnage-root'"),
            ({"roles": ["tonnage-viewer", "Tonnage-Organization:NORD"]}, "no role"),
            ({"roles": ["tonnage-viewer", "tonnage-organisation:NORD"]}, "no role"),
            ({"roles": ["tonnage-viewer", "tonnage-organization:"]}, "no organization"),
            ({"roles": ["tonnage-viewer", "tonnage-organization:%00"]}, "no organization"),
            ({"roles": ["tonnage-viewer", "tonnage-organization:%ff"]}, "no organization"),
        ],
    )
    def test_wrong_claims(self, issuer: Tokens, changes: dict[str, object], why: str) -> None:
        with pytest.raises(BadToken, match=why):
            issuer.caller(token(**changes))  # type: ignore[arg-type]  # claims only

    def test_too_late_and_too_early(self, issuer: Tokens) -> None:
        with pytest.raises(BadToken, match="has expired"):
            issuer.caller(token(exp=in_seconds(-80)))
        with pytest.raises(BadToken, match="not valid yet"):
            issuer.caller(token(nbf=in_seconds(80)))
        with pytest.raises(BadToken, match="not valid yet"):
            issuer.caller(token(iat=in_seconds(80)))

    def test_another_signature(self, issuer: Tokens) -> None:
        with pytest.raises(BadToken, match="not the issuer's"):
            issuer.caller(token(OTHER_KEY))
        head, _, signature = token().split(".")
        with pytest.raises(BadToken, match="not the issuer's"):
            issuer.caller(f"{head}.{part(claims(roles=['tonnage-admin']))}.{signature}")

    @pytest.mark.parametrize("name", ["none", "None", "", "HS256", None, [], {}, 1])
    @pytest.mark.parametrize("ending", ["", "x"])
    def test_no_algorithm(self, issuer: Tokens, name: object, ending: str) -> None:
        header = {"alg": name, "kid": "rsa", "typ": "JWT"}
        with pytest.raises(BadToken):
            issuer.caller(f"{part(header)}.{part(claims())}.{ending}")

    def test_the_public_key_as_a_secret(self, issuer: Tokens) -> None:
        pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(BadToken, match="another algorithm"):
            issuer.caller(by_hand({"alg": "HS256", "kid": "rsa"}, claims(), pem))

    def test_a_shared_secret_among_the_keys(self, issuer: Tokens, published: Published) -> None:
        secret = b"0" * 32
        published.keys.append({"kty": "oct", "k": base64.urlsafe_b64encode(secret).decode(), "kid": "oct"})
        for algorithm in ("HS256", "RS256"):
            with pytest.raises(BadToken):
                issuer.caller(by_hand({"alg": algorithm, "kid": "oct"}, claims(), secret))

    @pytest.mark.parametrize("algorithm", ["RS512", "PS256"])
    def test_an_algorithm_that_is_not_taken(self, issuer: Tokens, algorithm: str) -> None:
        with pytest.raises(BadToken, match="another algorithm"):
            issuer.caller(token(algorithm=algorithm))

    def test_the_algorithm_of_another_key(self, issuer: Tokens) -> None:
        with pytest.raises(BadToken):
            issuer.caller(token(EC_KEY, "ES256", "rsa"))

    def test_a_key_for_encryption_and_one_that_is_too_short(
        self, issuer: Tokens, published: Published, recwarn: pytest.WarningsRecorder
    ) -> None:
        short = rsa.generate_private_key(65537, 1024)  # noqa: S505  # the point of the test
        published.keys = [public(OTHER_KEY, "enc", use="enc"), public(short, "short")]
        with pytest.raises(BadToken, match="no key of the issuer"):
            issuer.caller(token(OTHER_KEY, key_id="enc"))
        signed = f"{part({'alg': 'RS256', 'kid': 'short'})}.{part(claims())}"
        algorithm = RSAAlgorithm(RSAAlgorithm.SHA256)
        signature = base64.urlsafe_b64encode(algorithm.sign(signed.encode(), short)).rstrip(b"=").decode()
        with pytest.raises(BadToken):
            issuer.caller(f"{signed}.{signature}")
        assert not recwarn.list

    @pytest.mark.parametrize("key_id", [None, "unknown"])
    def test_a_key_that_nobody_knows(self, issuer: Tokens, key_id: str | None) -> None:
        with pytest.raises(BadToken, match="no key of the issuer"):
            issuer.caller(token(key_id=key_id))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "a",
            "a.b",
            "a.b.c",
            "..",
            "ü.ü.ü",
            "\0",
            "e30.e30.e30",
            f"{part([])}.{part(1)}.x",
            base64.urlsafe_b64encode(b"[" * 12_000).decode() + ".e30.e30",
        ],
    )
    def test_garbage(self, issuer: Tokens, text: str) -> None:
        with pytest.raises(BadToken):
            issuer.caller(text)

    @given(st.text(max_size=60), st.dictionaries(st.text(max_size=5), st.integers() | st.text()))
    def test_any_garbage_is_refused(self, text: str, header: dict[str, object]) -> None:
        unread = Tokens(ISSUER, AUDIENCE, SigningKeys("http://127.0.0.1:1/keys", lambda: 0.0))
        for each in (text, f"{part(header)}.{text}.{text}", f"{part(header)}.e30.e30"):
            with pytest.raises(BadToken):
                unread.caller(each)


class TestRotation:
    def test_a_new_key_is_found_and_an_old_one_refused(self, issuer: Tokens, published: Published) -> None:
        issuer.caller(token())
        published.keys = [public(OTHER_KEY, "new")]
        published.now += AGAIN_SECONDS
        issuer.caller(token(OTHER_KEY, key_id="new"))
        with pytest.raises(BadToken, match="no key of the issuer"):
            issuer.caller(token())

    def test_an_old_key_is_refused_though_nobody_asks_for_a_new_one(
        self, issuer: Tokens, published: Published
    ) -> None:
        issuer.caller(token())
        published.keys = [public(OTHER_KEY, "new")]
        published.now += FRESH_SECONDS
        with pytest.raises(BadToken, match="no key of the issuer"):
            issuer.caller(token())

    def test_strangers_do_not_make_us_ask_without_end(self, issuer: Tokens, published: Published) -> None:
        for number in range(50):
            with pytest.raises(BadToken):
                issuer.caller(token(key_id=f"unknown {number}"))
        assert published.asked == 1
        published.answer = 500, b""
        published.now += AGAIN_SECONDS
        for number in range(50):
            with pytest.raises(BadToken):
                issuer.caller(token(key_id=f"unknown {number}"))
        assert published.asked == 2

    @pytest.mark.parametrize(
        "answer",
        [
            (500, b""),
            (302, b""),
            (200, b""),
            (200, b"[]"),
            (200, b"\xff"),
            (200, b"[" * 100_000),
            (200, b'{"keys": 1}'),
            (200, b'{"keys": [1]}'),
            (200, b'{"keys": []}'),
            (200, b" " * 1_000_000 + b'{"keys": []}'),
        ],
    )
    def test_an_issuer_that_tells_nothing(
        self, issuer: Tokens, published: Published, logged: list[Any], answer: tuple[int, bytes]
    ) -> None:
        issuer.caller(token())
        published.answer = answer
        published.now += LAST_SECONDS
        issuer.caller(token())
        published.now += 1
        with pytest.raises(IssuerUnavailable):
            issuer.caller(token())
        assert published.asked == 2
        assert [entry["event"] for entry in logged] == ["signing keys not read"]
        published.answer = None
        published.now += AGAIN_SECONDS
        issuer.caller(token())


def test_the_service_takes_tokens_beside_keys(
    engine: Engine, issuer: Tokens, published: Published, key_of: Callable[..., str]
) -> None:
    client = TestClient(create_app(engine, Surroundings(issuer=issuer)))

    def status(path: str, credentials: str) -> int:
        return client.get(path, headers={"Authorization": f"Bearer {credentials}"}).status_code

    published.answer = 500, b""
    assert status("/v1/jobs", token()) == 503
    assert status("/v1/jobs", key_of(engine, "viewer")) == 200
    published.answer, published.now = None, published.now + AGAIN_SECONDS
    assert status("/v1/jobs", token()) == 200
    assert status("/v1/audit", token()) == 403
    assert status("/v1/audit", token(roles=["tonnage-admin"])) == 200
    assert status("/v1/jobs", token(roles=["tonnage-admin", "tonnage-organization:NORD"])) == 403
    assert status("/v1/jobs", token(exp=in_seconds(-100))) == 401
    assert status("/v1/jobs", "garbage") == 401


class TestSettings:
    GOOD = (ISSUER, AUDIENCE, "https://sign-in.example.com/keys")

    def test_all_or_none(self) -> None:
        assert open_issuer(None, None, None, clock.seconds) is None
        found = open_issuer(*self.GOOD, clock.seconds)
        assert found is not None
        assert (found.issuer, found.audience) == (ISSUER, AUDIENCE)
        for at, name in enumerate(NAMES):
            named = [None if each == at else value for each, value in enumerate(self.GOOD)]
            with pytest.raises(BadIssuerSettings, match=name):
                open_issuer(*named, clock.seconds)

    @pytest.mark.parametrize(
        "url", ["http://example.com/keys", "file:///etc/passwd", "keys", "http://localhost.example.com"]
    )
    def test_keys_come_over_tls(self, url: str) -> None:
        with pytest.raises(BadIssuerSettings, match="https"):
            open_issuer(ISSUER, AUDIENCE, url, clock.seconds)

    def test_the_command_says_what_is_missing(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TONNAGE_OIDC_ISSUER", ISSUER)
        monkeypatch.setenv("TONNAGE_DATABASE_URL", "postgresql://x@127.0.0.1:1/x")
        assert main(["serve"]) == YOUR_MISTAKE
        assert "TONNAGE_OIDC_AUDIENCE cannot be used: it is not set" in capsys.readouterr().err
