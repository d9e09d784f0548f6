"""Published weights, predictions and pictures through the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from stand_ins.published import expected_ap, outputs_folder, raw_outputs, weights_file

from experiments.recipe.resolve import resolve
from experiments.records.store import Store
from experiments.running import teachers
from featherface.engines.onnx_runtime import OnnxSession
from featherface.evaluation.predictions import read_predictions
from featherface.networks.detector import build
from featherface.training.config.train import TrainConfig
from featherface.training.distillation.distillation_loss import DistillationLoss

pytestmark = pytest.mark.data
PEERS = ("retinaface-mnet025", "retinaface-1mb")
"""Two published files of the same tensors, for other priors and another activation."""


@pytest.fixture
def expected(reference_data):
    return json.loads((reference_data / "expected.json").read_text(encoding="utf-8"))


def aps(data):
    return {name: subset["ap"] for name, subset in data["subsets"].items()}


def test_published_predictions_give_the_official_ap(thesis, valid, reference_data, expected):
    wider = reference_data / "widerface"
    given = ("--predictions", wider / "predictions" / "yolov7-lite.tar.gz")
    truth = ("--ground-truth", wider / "ground_truth")
    data = valid(thesis("eval", "widerface", *given, *truth, "--json"))
    wanted = expected["full_val"]["yolov7-lite"]
    assert data["complete"]
    assert data["images"] == wanted["images"]
    assert aps(data) == pytest.approx({name: wanted[name] for name in aps(data)}, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("variant", PEERS)
def test_published_weights_give_the_reference_ap(thesis, valid, reference_data, variant):
    # The quickest of the six: tests/featherface/inference/test_detect.py has them all.
    wider = reference_data / "widerface"
    network = ("--variant", variant, "--weights", weights_file(reference_data, variant))
    images = ("--images", wider / "val34" / "WIDER_val" / "images")
    truth = ("--ground-truth", wider / "ground_truth")
    answer = thesis("eval", "widerface", *network, *images, *truth, "--json")
    data = valid(answer)
    assert data["complete"] is False
    assert data["images"] == 34
    assert answer.json["warnings"]
    # What another processor's rounding may change: tests/featherface/inference/test_detect.py.
    assert aps(data) == pytest.approx(expected_ap(reference_data, variant), abs=0.002)


@pytest.mark.slow
def test_published_weights_become_a_record_and_a_chapter(thesis, valid, workspace, reference_data):
    wider = reference_data / "widerface"
    weights = reference_data / "weights" / "featherface_v1_official.pth"
    made = valid(
        thesis(
            "model", "import", weights, "--variant", "v1-official", "--json", workspace=workspace
        )
    )
    changes = {
        "data.root": wider / "val34",
        "data.ground_truth": wider / "ground_truth",
        "model.weights": made["weights"],
    }
    overrides = [f"--set={key}={value}" for key, value in changes.items()]
    stage = ("--stage", "evaluate", "--json")
    (run,) = valid(thesis("run", "v1-official", *overrides, *stage, workspace=workspace))["runs"]
    assert run["status"] == "sealed"
    chapter = workspace.vault / "05-Results" / "Performance-Analysis.md"
    text = chapter.read_text(encoding="utf-8")
    assert "34 images" in text
    assert "not a WIDER FACE result" in text


@pytest.mark.parametrize("variant", PEERS)
def test_both_peers_detect_what_their_own_programs_did(thesis, valid, reference_data, variant):
    """The file alone says which network it is."""
    originals = read_predictions(
        outputs_folder(reference_data, variant) / "val34_predictions.tar.gz"
    )
    images = reference_data / "widerface" / "val34" / "WIDER_val" / "images"
    picture = min(images.rglob("*.jpg"), key=lambda path: path.stat().st_size)
    weights = ("--weights", weights_file(reference_data, variant))
    (seen,) = valid(thesis("detect", picture, *weights, "--score", 0.5, "--json"))
    rows = originals[f"{picture.parent.name}/{picture.stem}"]
    sure = rows[rows[:, 4] > 0.5]
    assert len(seen["faces"]) == len(sure) > 0
    for face, row in zip(seen["faces"], sorted(sure, key=lambda row: -row[4]), strict=True):
        x, y, width, height = row[:4]
        assert face["box"] == pytest.approx([x, y, x + width, y + height], abs=2)
        assert face["score"] == pytest.approx(row[4], abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("variant", PEERS)
def test_both_peers_are_sealed_and_exported_with_their_own_settings(
    thesis, valid, workspace, reference_data, variant
):
    wider = reference_data / "widerface"
    changes = {
        "data.root": wider / "val34",
        "data.ground_truth": wider / "ground_truth",
        "model.weights": weights_file(reference_data, variant),
        "export.formats": "[onnx]",
    }
    overrides = [f"--set={key}={value}" for key, value in changes.items()]
    stages = ("--stage", "evaluate", "--stage", "export", "--no-sync", "--json")
    (made,) = valid(thesis("run", variant, *overrides, *stages, workspace=workspace))["runs"]
    run = Store(workspace).find(made["run"])
    aps = {name: run.metric(f"widerface.{name}.ap").value for name in ("easy", "medium", "hard")}
    assert aps == pytest.approx(expected_ap(reference_data, variant), abs=0.002)
    onnx = pytest.importorskip("onnx")
    (file,) = run.folder.rglob("*.onnx")
    props = {entry.key: entry.value for entry in onnx.load(file).metadata_props}
    config = run.resolved().recipe.model.detector()
    assert json.loads(props["prior_sizes"]) == [list(sizes) for sizes in config.prior_sizes]
    assert json.loads(props["model"])["leak"] == config.leak
    raw = raw_outputs(reference_data, variant)
    pixels = raw["image_bgr"].astype(np.float32) - np.float32(json.loads(props["pixel_mean_bgr"]))
    outputs = OnnxSession(file)(pixels.transpose(2, 0, 1)[None])
    np.testing.assert_allclose(outputs["scores"], raw["conf"].reshape(1, -1, 2), atol=1e-4)
    np.testing.assert_allclose(outputs["boxes"], raw["loc"].reshape(1, -1, 4), atol=1e-3)


@pytest.mark.parametrize("variant", PEERS)
def test_both_peers_teach_what_their_own_programs_say(workspace, reference_data, variant):
    """A teacher's settings come with its file: a student of its priors gets its own targets."""
    sizes = {
        "retinaface-mnet025": "[[16, 32], [64, 128], [256, 512]]",
        "retinaface-1mb": "[[10, 20], [32, 64], [128, 256]]",
    }
    path = weights_file(reference_data, variant).as_posix()
    given = [f"distill.teacher_weights={path}", f"model.prior_sizes={sizes[variant]}"]
    given += ["model.pixel_mean=[0, 0, 0]", "model.channel_order=rgb"]
    recipe = resolve("smoke", workspace, given).recipe
    assert recipe.distill.teacher_variant == variant
    store = Store(workspace)
    parents = teachers.teacher_parents(store, recipe)
    teachers.check_anchors(store, recipe, parents)
    teacher = teachers.load_teacher(store, recipe, parents)
    student = build(recipe.model.detector(), seed=0)
    config = TrainConfig(device="cpu")
    loss = DistillationLoss(teacher, student, config, torch.device("cpu"))
    raw = raw_outputs(reference_data, variant)
    rgb = torch.from_numpy(raw["image_bgr"][..., ::-1].copy()).permute(2, 0, 1)[None].float()
    output = loss._teacher_output(teacher.model, rgb).output
    scores = output.logits.softmax(-1).numpy()
    np.testing.assert_allclose(scores, raw["conf"].reshape(1, -1, 2), atol=1e-4)
    np.testing.assert_allclose(output.boxes, raw["loc"].reshape(1, -1, 4), atol=1e-3)
