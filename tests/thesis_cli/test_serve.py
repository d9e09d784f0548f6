"""`thesis serve`: what is checked before it answers the first request."""

from __future__ import annotations

import socket
import sys

import pytest

from featherface.networks.detector import build
from featherface.variants.table import variant
from featherface.weights.checkpoints import save_weights

NETWORK = "v3-nano"
server = pytest.importorskip("featherface.serving.server", reason="the extra `serve` is missing")


@pytest.fixture
def started(monkeypatch):
    """Tell what would be served, and how, in place of serving it."""
    calls = []

    def serve(model, limits, listening, **more):
        del listening
        calls.append((model, limits, more))

    monkeypatch.setattr(server, "serve", serve)
    return calls


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "best.safetensors"
    save_weights(path, build(variant(NETWORK), seed=0), {"variant": NETWORK})
    return path


def test_what_serves_is_told_with_its_digest_and_what_checked_it(thesis, started, weights):
    answer = thesis("serve", "--weights", weights, "--port", 0, "--protocol", "vga")
    assert answer.code == 0
    assert "no seal or manifest says which file it has to be" in answer.err
    ((model, _, _),) = started
    assert (model.name, model.file, model.protocol) == (NETWORK, "best.safetensors", "vga")
    assert len(model.sha256) == 64
    assert (model.run, model.checked_by) == ("", "")


def test_every_limit_is_an_option(thesis, started, weights):
    words = ["--max-megabytes", "2", "--max-megapixels", "3", "--max-pictures", "4"]
    words += ["--max-held-megabytes", "5", "--max-requests", "6", "--max-connections", "7"]
    words += ["--concurrency", "8", "--timeout", "9", "--upload-timeout", "10", "--score", "0.3"]
    assert thesis("serve", "--weights", weights, "--port", 0, "--json-logs", *words).code == 0
    ((_, limits, more),) = started
    assert [*vars(limits).values()] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert (more["score"], more["as_json"]) == (0.3, True)


def test_a_file_that_its_manifest_does_not_know_is_not_served(thesis, started, weights):
    listed = f'{{"artifacts": [{{"path": "{weights.name}", "sha256": "{"0" * 64}"}}]}}'
    (weights.parent / "manifest.json").write_text(listed, encoding="utf-8")
    answer = thesis("serve", "--weights", weights, "--port", 0)
    assert answer.code in (1, 4)
    assert "best.safetensors is not the file that" in answer.err
    assert started == []


def test_a_changed_run_is_not_served(thesis, started, workspace, make_run):
    run = make_run(workspace, "v2")
    (run.folder / "environment.txt").write_text("other\n", encoding="utf-8")
    answer = thesis("serve", "--run", "v2", workspace=workspace)
    assert answer.code == 1
    assert "its sealed record was changed" in answer.err
    assert started == []


def test_a_missing_library_is_answered_with_the_line_that_installs_it(thesis, weights, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    answer = thesis("serve", "--weights", weights)
    assert answer.code == 4
    assert 'python -m pip install "thesis[serve]"' in answer.err


def test_a_port_that_is_taken_is_told_with_another(thesis, started, weights):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        answer = thesis("serve", "--weights", weights, "--port", port)
    assert answer.code == 4
    assert f"can't listen on 127.0.0.1 port {port}" in answer.err
    assert "--port" in answer.err.splitlines()[-1]
    assert started == []


def test_an_address_that_others_reach_is_warned_of(thesis, started, weights):
    loopback = thesis("serve", "--weights", weights, "--port", 0)
    assert "password" not in loopback.err
    everywhere = thesis("serve", "--weights", weights, "--host", "0.0.0.0", "--port", 0)  # noqa: S104 - nothing listens
    assert "no password" in everywhere.err
    assert thesis("serve", "--weights", weights, "--host", "no-such.invalid").code == 4


def test_without_a_network_there_is_nothing_to_serve(thesis):
    answer = thesis("serve")
    assert answer.code == 2
    assert "--run SELECTOR" in answer.err
