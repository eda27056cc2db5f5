"""What every answer has, and what no request may be: the edge, before any resource is asked."""

import gzip
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import structlog
from fastapi import FastAPI
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import Engine
from starlette.requests import Request

from app.access.caller import Role
from app.access.rules import RULES, Rule
from app.edge.limits import Limits
from app.main import create_app

EVERY_KIND = [
    ("/health/live", 200),
    ("/v1/forecasts?level=customer", 404),
    ("/nowhere", 404),
    ("/v1/forecasts?plant=1", 422),
    ("/broken", 500),
    (f"/v1/nodes?customer={'K' * 20_000}", 414),
]


def with_odd_routes(app: FastAPI) -> FastAPI:
    async def echo(request: Request) -> JSONResponse:
        return JSONResponse({"bytes": len(await request.body())})

    def broken() -> None:
        raise RuntimeError("secret")

    def stream() -> StreamingResponse:
        return StreamingResponse((f"{'x' * 2_000},{n}\n" for n in range(3)), media_type="text/csv")

    app.add_route("/echo", echo, methods=["POST"])
    app.get("/broken")(broken)
    app.get("/stream")(stream)
    app.get("/tiny")(lambda: {"a": 1})
    app.get("/large")(lambda: JSONResponse(["large"] * 1_000, headers={"ETag": '"1"', "Vary": "Accept"}))
    return app


ODD = ("POST /echo", "GET /broken", "GET /stream", "GET /tiny", "GET /large")


@pytest.fixture
def headers(engine: Engine, key_of: Callable[..., str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {key_of(engine)}"}


@pytest.fixture
def client(engine: Engine, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    for question in ODD:
        monkeypatch.setitem(RULES, question, Rule(Role.VIEWER))  # type: ignore[misc]  # the test's own routes
    app = with_odd_routes(create_app(engine, limits=Limits(body=1_000)))
    with TestClient(app, raise_server_exceptions=False, headers=headers) as client:
        yield client


class TestRequestId:
    @pytest.mark.parametrize(("path", "status"), EVERY_KIND)
    def test_is_in_every_answer_and_in_every_problem(
        self, client: TestClient, path: str, status: int
    ) -> None:
        answer = client.get(path)
        assert answer.status_code == status
        name = answer.headers["x-request-id"]
        assert len(name) == 32
        if status >= 400:
            assert answer.json()["request_id"] == name

    def test_of_the_caller_is_kept_if_it_is_sane(self, client: TestClient) -> None:
        for given, kept in {
            "trace-4711.a": True,
            "short": False,
            "x" * 65: False,
            'a"b c{d}e': False,
        }.items():
            answer = client.get("/nowhere", headers={"X-Request-ID": given})
            assert (answer.headers["x-request-id"] == given) is kept
            assert answer.json()["request_id"] == answer.headers["x-request-id"]


class TestAccessLine:
    def test_one_for_each_request_without_values(self, client: TestClient) -> None:
        with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
            answer = client.get(
                "/v1/no%0ades?plant=secret&token=hidden", headers={"Authorization": "Bearer hidden"}
            )
        (line,) = [each for each in lines if each["event"] == "request"]
        assert (line["method"], line["path"], line["asked"]) == ("GET", "/v1/no%0ades", "plant,token")
        assert (line["status"], line["bytes"]) == (401, len(answer.content))
        assert line["request_id"] == answer.headers["x-request-id"]
        assert line["ms"] > 0
        assert "hidden" not in str(lines)
        assert "secret" not in str(lines)

    def test_a_log_that_takes_nothing_breaks_no_answer(self, engine: Engine, tmp_path: Path) -> None:
        with (tmp_path / "log").open("w") as stream:
            structlog.configure(logger_factory=structlog.WriteLoggerFactory(stream))
        client = TestClient(create_app(engine))  # which raises what the service raises
        assert client.get("/health/live").status_code == 200


class TestSecurityHeaders:
    @pytest.mark.parametrize(("path", "status"), EVERY_KIND)
    def test_are_on_every_answer(self, client: TestClient, path: str, status: int) -> None:
        answer = client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in answer.headers

    def test_a_resource_has_the_last_word(self, client: TestClient, published: object) -> None:
        assert client.get("/v1/forecasts").headers.get_list("cache-control") == ["private, no-cache"]

    def test_hsts_only_over_tls(self, engine: Engine) -> None:
        client = TestClient(create_app(engine), base_url="https://testserver")
        assert "max-age" in client.get("/health/live").headers["strict-transport-security"]


class TestBody:
    @pytest.mark.parametrize("size", [0, 1, 1_000])
    def test_within_the_limit(self, client: TestClient, size: int) -> None:
        assert client.post("/echo", content=b"x" * size).json() == {"bytes": size}

    @pytest.mark.parametrize("chunked", [False, True])
    @pytest.mark.parametrize("path", ["/echo", "/health/live"])
    def test_beyond_it(self, client: TestClient, path: str, chunked: bool) -> None:
        content = iter([b"x" * 600, b"x" * 600]) if chunked else b"x" * 1_001
        answer = client.post(path, content=content)
        if chunked and path != "/echo":
            assert answer.status_code == 405  # nobody reads it, so nobody counts it
            return
        assert answer.status_code == 413
        assert answer.json()["type"] == "urn:tonnage:problem:body-too-large"
        assert answer.headers["connection"] == "close"

    def test_that_lies_about_its_length_is_counted(self, client: TestClient) -> None:
        content = iter([b"x" * 600, b"x" * 600])
        answer = client.post("/echo", content=content, headers={"Content-Length": "5"})
        assert answer.status_code == 413


class TestHead:
    def test_too_large(self, client: TestClient) -> None:
        answer = client.get("/health/live", headers={"X-Much": "x" * 40_000})
        assert answer.status_code == answer.json()["status"] == 431

    def test_too_long_url(self, client: TestClient) -> None:
        answer = client.get("/health/live?" + "x" * 20_000)
        assert answer.status_code == answer.json()["status"] == 414


class TestCompression:
    def test_of_what_is_large(self, client: TestClient) -> None:
        plain = client.get("/large", headers={"Accept-Encoding": "identity"})
        with client.stream("GET", "/large", headers={"Accept-Encoding": "gzip"}) as answer:
            squeezed = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "Accept, Accept-Encoding"
        assert answer.headers["etag"] == 'W/"1"'
        assert gzip.decompress(squeezed) == plain.content
        assert len(squeezed) < len(plain.content) / 10
        assert "content-encoding" not in plain.headers

    def test_not_of_what_is_tiny(self, client: TestClient) -> None:
        assert "content-encoding" not in client.get("/tiny", headers={"Accept-Encoding": "gzip"}).headers

    def test_a_stream_is_not_held_back(self, client: TestClient) -> None:
        with client.stream("GET", "/stream", headers={"Accept-Encoding": "gzip"}) as answer:
            raw = b"".join(answer.iter_raw())
        assert gzip.decompress(raw).decode() == "".join(f"{'x' * 2_000},{n}\n" for n in range(3))
        # Each piece ends at a byte with a sync marker, so that whoever listens can read it at once.
        assert raw.count(b"\x00\x00\xff\xff") == 3


class TestRate:
    @pytest.fixture
    def client(self, engine: Engine, headers: dict[str, str]) -> TestClient:
        return TestClient(create_app(engine, limits=Limits(rate=0.0005, burst=3)), headers=headers)

    def test_too_many_get_429_and_when_to_return(self, client: TestClient) -> None:
        answers = [client.get("/v1/nodes?plant=1") for _ in range(4)]
        assert [each.status_code for each in answers] == [422, 422, 422, 429]
        assert 1_980 <= int(answers[-1].headers["retry-after"]) <= 2_000  # seconds may have passed by then
        assert answers[-1].json()["type"] == "urn:tonnage:problem:too-many-requests"
        assert client.get("/health/live").status_code == 200


def test_traces_go_where_the_environment_says(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[ExportTraceServiceRequest] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # as the library calls it
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        with TestClient(create_app(engine)) as client:
            answer = client.get("/health/live", headers={"traceparent": parent})
        collector.shutdown()
    (span,) = [
        span for each in got for some in each.resource_spans for one in some.scope_spans for span in one.spans
    ]
    told = {each.key: each.value.string_value or each.value.int_value for each in span.attributes}
    assert span.name == "GET /health/live"
    assert span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert told["http.response.status_code"] == 200
    assert told["http.route"] == "/health/live"
    assert told["tonnage.request_id"] == answer.headers["x-request-id"]


def test_without_a_word_from_the_environment_nothing_of_it_is_imported() -> None:
    code = (
        "import sys; from app.main import create_app; from app.store.engine import open_engine; "
        "app = create_app(open_engine('postgresql://x@/y')); app.build_middleware_stack(); "
        "print(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})
    assert found.stdout.strip() == "False"
