"""The export stage: rounded files are judged on the run's val split, and that is recorded."""

from __future__ import annotations

import json
import shutil

import pytest
from stand_ins.small_exports import NAME, small_network

from experiments.recipe.resolve import resolve
from experiments.records.run import Run
from experiments.running import runner, stages
from experiments.workspace.workspace import Workspace
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.export.manifest import faults, read_manifest
from featherface.weights.checkpoints import save_weights

pytestmark = pytest.mark.usefixtures("traced_once")


@pytest.fixture
def exported(tmp_path):
    """Run the export stage over given weights, with CHANGES of the recipe."""
    save_weights(tmp_path / "given.safetensors", small_network(), {"variant": NAME})
    draw(tmp_path / "set", SyntheticConfig(image_size=96, train_images=2, val_images=4))
    workspace = Workspace.create(tmp_path / "thesis")
    (workspace.recipes / "nano.yaml").write_text(
        f"extends: smoke\nmodel: {{variant: {NAME}}}\n", encoding="utf-8"
    )

    def run(*changes):
        asked = [
            f"model.weights={(tmp_path / 'given.safetensors').as_posix()}",
            f"data.root={(tmp_path / 'set').as_posix()}",
            "export.parity_sizes=[[64,96]]",
            "train.device=cpu",
            *changes,
        ]
        runner.run(workspace, resolve("nano", workspace, asked), stages=("export",))
        return Run(workspace.runs / "nano" / "001")

    return run


def test_what_a_rounded_file_loses_is_a_metric_with_its_interval_in_the_manifest(exported):
    run = exported("export.formats=[onnx,onnx-fp16]")
    names = {metric.name for metric in run.metrics}
    assert "export.onnx-fp16.ap_loss.hard" in names
    assert not any(name.startswith("export.onnx.ap_loss") for name in names)
    assert {"export.onnx.parity", "export.onnx-fp16.parity"} <= names
    metric = run.metric("export.onnx-fp16.ap_loss.hard")
    assert (metric.dataset, metric.split, metric.n) == ("synthetic", "val", 4)
    assert (metric.conditions.engine, metric.conditions.protocol) == ("onnxruntime", "original")
    assert metric.fingerprint
    folder = run.folder / "exports"
    single, half = read_manifest(folder)["artifacts"]
    assert (single["status"], half["status"]) == ("compared", "validated")
    lost = half["validation"]["subsets"]["hard"]
    assert lost["loss"] == metric.value
    assert lost["low"] <= lost["loss"] <= lost["high"]
    assert faults(folder) == []
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["tools"]["onnxruntime"]


def test_validation_can_be_left_out(exported):
    run = exported("export.formats=[onnx-fp16]", "export.validate=false")
    assert [metric.name for metric in run.metrics] == ["export.onnx-fp16.parity"]


@pytest.mark.parametrize(("there", "origin"), [(True, "train"), (False, "drawn")])
def test_ranges_are_measured_on_pictures_to_train_on_or_drawn_ones(
    exported, tmp_path, monkeypatch, there, origin
):
    asked = []

    def write(_model, _config, _folder, _name, _variant, settings, _on_progress):
        asked.append(settings.pictures())
        return []

    monkeypatch.setattr(stages, "write_exports", write)
    if not there:
        shutil.rmtree(tmp_path / "set" / "WIDER_train")
    exported()
    assert [each.origin for each in asked] == [origin]
