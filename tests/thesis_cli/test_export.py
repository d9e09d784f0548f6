"""`thesis export`: files, what is shown of them, and what can't be written here."""

from __future__ import annotations

import json

import pytest
from stand_ins.small_exports import NAME, small_network

from featherface.export.formats import FORMATS, ExportFormat
from featherface.export.manifest import faults
from featherface.weights.checkpoints import save_weights

pytestmark = pytest.mark.usefixtures("traced_once")
HERE, LACKING = "onnx-nms", "onnx-fp16"
ODD = ExportFormat(
    title="Odd", suffix=".odd", summary="odd", tools=("no_such_module",), extra="odd"
)


@pytest.fixture
def network(tmp_path, monkeypatch):
    """Options that name a small network, in a program that knows few formats."""
    path = tmp_path / "given.safetensors"
    save_weights(path, small_network(), {"variant": NAME})
    for name in set(FORMATS) - {"onnx", HERE, LACKING}:
        monkeypatch.delitem(FORMATS, name)
    monkeypatch.setitem(FORMATS, LACKING, ODD)
    return ("--weights", path, "--output", tmp_path / "out")


def test_all_that_can_be_written_is_and_the_rest_is_told_with_its_command(
    thesis, valid, network, tmp_path
):
    data = valid(thesis("export", *network, "--format", "all", "--json"))
    assert [each["format"] for each in data["artifacts"]] == ["onnx", HERE]
    (lacking,) = data["not_made"]
    assert (lacking["format"], lacking["reason"]) == (LACKING, "needs no_such_module")
    assert lacking["command"] == 'python -m pip install "thesis[odd]"'
    assert {each["status"] for each in data["artifacts"]} == {"compared"}
    assert max(each["parity"] for each in data["artifacts"]) <= 1e-4
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["artifacts"] == data["artifacts"]
    assert manifest["input"]["pixel_mean_bgr"] == [104.0, 117.0, 123.0]
    assert faults(tmp_path / "out") == []


def test_validation_tells_ap_and_its_loss_with_an_interval(thesis, valid, network, small_set):
    pictures = ("--validate", small_set / "WIDER_val" / "images", "--ground-truth", small_set)
    data = valid(thesis("export", *network, "--format", HERE, *pictures, "--json"))
    (entry,) = data["artifacts"]
    assert entry["status"] == "validated"
    assert entry["validation"]["dataset"] == "synthetic"
    assert entry["validation"]["images"] == 4
    for lost in entry["validation"]["subsets"].values():
        assert lost["low"] <= lost["loss"] <= lost["high"]
        assert lost["loss"] == pytest.approx(0, abs=1e-6)


def test_a_format_that_was_named_and_lacks_its_tool_is_refused(thesis, network, tmp_path):
    answer = thesis("export", *network, "--format", LACKING)
    assert answer.code == 4
    assert "Odd needs no_such_module" in answer.err
    assert 'pip install "thesis[odd]"' in answer.err
    assert not (tmp_path / "out").exists()


def test_ground_truth_needs_pictures(thesis, network, small_set):
    answer = thesis("export", *network, "--ground-truth", small_set)
    assert answer.code == 2
    assert "--validate" in answer.err


def test_an_exported_file_is_no_weights_to_export_again(thesis, tmp_path):
    exported = tmp_path / "best.onnx"
    exported.write_bytes(b"network")
    answer = thesis("export", "--weights", exported, "--output", tmp_path / "out")
    assert (answer.code, "best.onnx is an exported network" in answer.err) == (2, True)
    assert "--run SELECTOR" in answer.err
