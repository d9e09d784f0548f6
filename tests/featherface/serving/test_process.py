"""The real process: sockets, slow clients, signals."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from featherface.networks.detector import build
from featherface.variants.table import variant
from featherface.weights.checkpoints import save_weights

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

ROOT = Path(__file__).parents[3]
NETWORK = "v3-nano"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    save_weights(path, build(variant(NETWORK), seed=0), {"variant": NETWORK})
    return path


@contextlib.contextmanager
def process(weights, log, *options):
    """Start `thesis serve`; yield it and its port."""
    words = ["serve", "--weights", str(weights), "--port", "0", *options]
    with (
        log.open("wb") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", "thesis_cli", *words], cwd=ROOT, stderr=stderr
        ) as started,
    ):
        try:
            until = time.monotonic() + 240
            while time.monotonic() < until and started.poll() is None:
                told = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text(encoding="utf-8"))
                if told:
                    break
                time.sleep(0.1)
            yield started, int(told[1])
        finally:
            started.kill()


def post(port, content, answers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", "/detect?score=0.02", content)
    answer = connection.getresponse()
    answers.append((answer.status, json.loads(answer.read())))
    connection.close()


def until_held(port, count):
    """Wait until the service holds COUNT requests with pictures."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        if f"thesis_requests_held {count}.0" in text:
            return
        time.sleep(0.02)


def answer_to(port, content):
    """Send bytes and return everything that comes until the service closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(content)
        pieces = []
        while piece := connection.recv(2**16):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.slow
def test_slow_clients_are_let_go_and_a_stop_ends_what_is_in_flight(weights, picture, tmp_path):
    log = tmp_path / "log.txt"
    with process(weights, log, "--upload-timeout", "1.5") as (started, port):
        assert answer_to(port, b"") == b""  # no head ever comes
        assert answer_to(port, b"POST /detect HTTP/1.1\r\nhost: a") == b""  # nor the rest of it
        head = b"POST /detect HTTP/1.1\r\nhost: a\r\ncontent-length: 999\r\n\r\nab"
        assert answer_to(port, head).startswith(b"HTTP/1.1 408 ")
        assert b'"bad_http"' in answer_to(port, b"HELO\r\n\r\n")
        answers = []
        large = picture(2400, 1600)
        flying = [threading.Thread(target=post, args=(port, large, answers)) for _ in range(4)]
        for each in flying:
            each.start()
        until_held(port, 4)
        started.send_signal(signal.SIGTERM)
        for each in flying:
            each.join()
        assert [status for status, _ in answers] == [200] * 4
        assert started.wait(60) == 0
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    text = log.read_text(encoding="utf-8")
    assert text.count("POST /detect 200") == 4
    assert "Traceback" not in text


@pytest.mark.slow
def test_more_connections_than_allowed_are_told_to_come_back(weights, tmp_path):
    with process(weights, tmp_path / "log.txt", "--max-connections", "2") as (_, port):
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        time.sleep(0.5)
        refused = answer_to(port, b"GET /model HTTP/1.1\r\nhost: a\r\n\r\n")
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in refused
        urgent = b"GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        assert answer_to(port, urgent).startswith(b"HTTP/1.1 200 ")
        for each in idle:
            each.close()
