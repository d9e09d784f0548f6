"""Starting the service, and stopping it so that whoever waits still gets an answer."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn

from featherface.engines.table import ENGINES
from featherface.errors import UnavailableError
from featherface.serving.application import FILES, application
from featherface.serving.connections import connections
from featherface.serving.request_log import Observed
from featherface.serving.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from fastapi import FastAPI

    from featherface.serving.limits import ServingLimits
    from featherface.serving.request_log import Say
    from featherface.serving.served_model import ServedModel

BACKLOG = 512
"""Connections that the system keeps until they are taken."""
STOPS = [signal.SIGINT, signal.SIGTERM]
if hasattr(signal, "SIGBREAK"):
    STOPS.append(signal.SIGBREAK)  # Windows: Ctrl+Break


class StoppingServer(uvicorn.Server):
    """Uvicorn's server, which lets the service know at once that it is to stop."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self.service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop: take no more; end when all that was taken is answered."""
        self.service.stop()
        super().handle_exit(sig, frame)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket at HOST and PORT; 0 lets the system choose.

    Raises:
        UnavailableError: there is no such address here, or the port is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UnavailableError(f"no address {host!r}: {error}", "try --host 127.0.0.1") from error
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # on Windows "reuse" takes another's port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError as error:
        made.close()
        raise UnavailableError(
            f"can't listen on {host} port {port}: {error.strerror or error}",
            f"choose another: --port {port + 1 if port < 65_535 else 8000}",
        ) from error
    return made


def observed(service: Service, score: float, say: Say, *, as_json: bool) -> Observed:
    """Return SERVICE's routes with their log."""
    app = application(service, score)
    return Observed(app, service.measured, _paths(app), say, as_json=as_json)


def serve(
    model: ServedModel,
    limits: ServingLimits,
    listening: socket.socket,
    *,
    score: float,
    say: Say,
    as_json: bool = False,
) -> None:
    """Answer requests on LISTENING until SIGINT or SIGTERM; SAY gets the lines of the log.

    The first says where. Connections that come before it are kept until there is an answer.
    """
    service = Service(model, limits)
    config = uvicorn.Config(
        observed(service, score, say, as_json=as_json),
        http=connections(limits),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=limits.stop_seconds,
    )
    try:
        with _signals_taken(), listening:
            listening.listen(BACKLOG)
            engine = ENGINES[model.engine.name].title
            say(f"serving {model.name} by {engine} on {_address(listening)}; Ctrl-C ends it")
            StoppingServer(config, service).run([listening])
    finally:
        service.close()


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _paths(app: FastAPI) -> frozenset[str]:
    """Return the paths that APP knows."""
    return frozenset({*app.openapi()["paths"], *FILES, app.openapi_url or ""})


@contextlib.contextmanager
def _signals_taken() -> Iterator[None]:
    """Let the signals that uvicorn raises once more when it has stopped do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, _do_nothing) for each in STOPS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Stand for a handler."""
