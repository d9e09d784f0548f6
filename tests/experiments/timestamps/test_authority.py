"""An authority is asked once, in bounded time, for a bounded answer."""

import socket
import threading
import time

import pytest
from stand_ins.timestamp_authority import TYPE, serving

from experiments.timestamps import authority
from experiments.timestamps.authority import ask_authority, check_address
from featherface.errors import UnavailableError, UsageError


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_the_query_goes_as_it_is_and_the_answer_comes_as_it_is():
    with serving(lambda query: query[::-1]) as (url, seen):
        assert ask_authority(url, b"abc") == b"cba"
    assert seen == [(TYPE, b"abc")]


def test_an_error_of_the_server_is_told_with_its_number():
    with (
        serving(lambda _: (500, {}, b"x")) as (url, _),
        pytest.raises(UnavailableError, match="500"),
    ):
        ask_authority(url, b"abc")


def test_a_redirect_is_told_and_not_followed():
    with serving(lambda _: b"a token") as (other, asked):
        answer = (302, {"Location": other}, b"")
        with serving(lambda _: answer) as (url, _), pytest.raises(UnavailableError) as caught:
            ask_authority(url, b"abc")
    assert "302" in caught.value.message
    assert other in caught.value.hint
    assert asked == []


def test_a_longer_answer_than_any_token_is_refused(monkeypatch):
    monkeypatch.setattr(authority, "LARGEST", 1000)
    with (
        serving(lambda _: b"x" * 1001) as (url, _),
        pytest.raises(UnavailableError, match="longer"),
    ):
        ask_authority(url, b"abc")


def late(_):
    time.sleep(1)
    return b"x"


def drops(_):
    def pieces():
        for _ in range(40):
            time.sleep(0.05)
            yield b"x"

    return 200, {}, pieces()


@pytest.mark.parametrize("answer", [late, drops])
def test_an_answer_that_takes_too_long_is_given_up(answer):
    with serving(answer) as (url, _):
        began = time.monotonic()
        with pytest.raises(UnavailableError, match=r"too long|timed out"):
            ask_authority(url, b"abc", patience=0.2)
        assert time.monotonic() - began < 0.9


def test_nobody_there_is_told():
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with pytest.raises(UnavailableError, match="can't be asked") as caught:
        ask_authority(f"http://127.0.0.1:{port}/", b"abc")
    assert "network" in caught.value.hint


def test_something_else_than_http_is_told():
    def talk():
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"220 mail.example ESMTP\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=talk)
        thread.start()
        with pytest.raises(UnavailableError, match="can't be asked"):
            ask_authority(f"http://127.0.0.1:{server.getsockname()[1]}/", b"abc")
        thread.join()


@pytest.mark.parametrize(
    "url",
    ["", "tsa.example", "file:///etc/passwd", "ftp://tsa.example", "http://", "http://a b/",
     "http://tsa.example:x/", "https://[", "http://tsa.example/\r\nX: y"],
)  # fmt: skip
def test_only_http_is_asked(url):
    with pytest.raises(UsageError, match="no address"):
        check_address(url)


def test_a_password_never_reaches_the_ledger():
    with pytest.raises(UsageError) as caught:
        check_address("https://me:hunter2@tsa.example/")
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
