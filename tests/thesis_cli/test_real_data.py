"""Published weights, predictions and pictures through the command line."""

from __future__ import annotations

import json

import pytest
from stand_ins.published import expected_ap, weights_file

pytestmark = pytest.mark.data


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
def test_published_weights_give_the_reference_ap(thesis, valid, reference_data):
    # The quickest of the five: tests/featherface/inference/test_detect.py has them all.
    variant = "retinaface-mnet025"
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
