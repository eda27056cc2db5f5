"""Messages arrive at a real server on this machine; what cannot arrive stops nothing."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from structlog.testing import capture_logs

from retrain.messages import Message
from retrain.notify import Address, Notifications
from tonnage.notifier import Notifier

MESSAGE = Message("drift", "Tonnage 2026-05: drift in total", ("- K-104 <left>", "Next: ask."))


class Inbox(HTTPServer):
    """Keeps what is posted, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Post)
        self.posted: list[dict[str, str]] = []
        self.status = 200

    @property
    def address(self) -> Address:
        return Address(f"json://me:secret@127.0.0.1:{self.server_port}/hook")


class Post(BaseHTTPRequestHandler):
    server: Inbox

    def do_POST(self) -> None:  # the library's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    server = Inbox()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_message_arrives(inbox: Inbox) -> None:
    with capture_logs() as logs:
        Notifier(Notifications((inbox.address,))).tell(MESSAGE)
    (posted,) = inbox.posted
    assert posted["title"] == MESSAGE.subject
    assert posted["message"] == "- K-104 <left>\nNext: ask."
    assert logs == []


def test_only_on_the_occasions_asked_for(inbox: Inbox) -> None:
    Notifier(Notifications((inbox.address,), ("published", "failed"))).tell(MESSAGE)
    assert inbox.posted == []


@pytest.mark.parametrize("url", ["json://me:secret@127.0.0.1:1/x", "nonsense://secret", "json://"])
def test_what_fails_is_logged_by_its_kind_and_the_others_are_told(
    inbox: Inbox, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as logs:
        Notifier(Notifications((Address(url), inbox.address))).tell(MESSAGE)
    assert len(inbox.posted) == 1
    kind = url.partition(":")[0]
    assert logs == [{"event": "not told", "log_level": "warning", "occasion": "drift", "by": kind}]
    assert "secret" not in caplog.text


def test_a_refused_message_is_logged(inbox: Inbox) -> None:
    inbox.status = 500
    with capture_logs() as logs:
        Notifier(Notifications((inbox.address,))).tell(MESSAGE)
    assert [each["by"] for each in logs] == ["json"]
