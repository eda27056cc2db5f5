"""`tonnage mlflow`: the record of all models in MLflow's own pages."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from tonnage.consoles import screen
from tonnage.errors import PortInUse

if TYPE_CHECKING:
    from tonnage.tracking import Tracking

HOST = "127.0.0.1"


def mlflow(port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve on.")] = 5000) -> None:
    """Show the record of all models in MLflow's own pages, on this machine, until Ctrl-C.

    Clients find it there too, with MLFLOW_TRACKING_URI. Where TONNAGE_MLFLOW_URL names a server, that one
    shows its pages itself.
    """
    from tonnage.tracking import find_tracking
    from tonnage.wiring import House

    house = House.for_command()
    tracking = find_tracking(house.settings, house.engine)
    if tracking.artifacts is None:
        screen.print(f"The record is at {tracking.shown}", soft_wrap=True)
        return
    _check_free(port)
    screen.print(f"MLflow starts on http://{HOST}:{port}, which takes a minute; Ctrl-C stops it.")
    screen.print(f"For clients: export MLFLOW_TRACKING_URI=http://{HOST}:{port}", soft_wrap=True)
    _serve(tracking, port)


def _serve(tracking: "Tracking", port: int) -> None:
    """Run MLflow's server; the URL may hold a password, so it goes by the environment."""
    assert tracking.artifacts is not None
    environment = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # for evaluations of language models
        **os.environ,
        "MLFLOW_BACKEND_STORE_URI": tracking.url,
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": tracking.artifacts.resolve().as_uri(),
    }
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        HOST,
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    # A signal to this process alone must not leave the server behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    with subprocess.Popen(command, env=environment) as server:  # noqa: S603  # our own interpreter and words
        try:
            with suppress(KeyboardInterrupt):
                server.wait()
        finally:
            server.terminate()


def _check_free(port: int) -> None:
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        raise PortInUse(HOST, port) from error
