from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.comparison.statistics import MEAN, paired_bootstrap
from experiments.exporting.accuracy_loss import Validation, losses
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.errors import UnavailableError
from featherface.evaluation.config import EvaluateConfig
from featherface.evaluation.ground_truth import from_annotations
from featherface.evaluation.names import picture_name
from featherface.evaluation.protocol import evaluate


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Match records of every face found, and of those of every other picture."""
    root = tmp_path_factory.mktemp("set") / "set"
    draw(root, SyntheticConfig(image_size=96, train_images=1, val_images=8))
    images = open_split(root, "val").images
    truth = from_annotations(images)
    predictions = {}
    for image in images:
        sizes = image.boxes[:, 2:] - image.boxes[:, :2]
        rows = np.hstack([image.boxes[:, :2], sizes, np.linspace(0.9, 0.3, len(sizes))[:, None]])
        predictions[picture_name(image.path)] = rows
    names = sorted(predictions)
    fewer = {
        name: predictions[name] if names.index(name) % 2 else np.zeros((0, 5)) for name in names
    }
    return tuple(evaluate(each, truth).matches for each in (predictions, fewer))


def test_a_file_that_finds_the_same_loses_nothing(records):
    every, _ = records
    found = losses(every, every)
    assert MEAN in found
    assert {(lost.loss, lost.low, lost.high) for lost in found.values()} == {(0.0, 0.0, 0.0)}


def test_the_loss_is_the_networks_ap_less_the_files_with_its_paired_interval(records):
    every, fewer = records
    found = losses(every, fewer)
    assert found["hard"].ap == fewer.ap("hard")
    assert found["hard"].loss == pytest.approx(every.ap("hard") - fewer.ap("hard"))
    interval = paired_bootstrap([fewer, every]).difference(0, 1, "hard")
    assert (found["hard"].low, found["hard"].high) == (interval.low, interval.high)
    assert 0 < found["hard"].low < found["hard"].loss < found["hard"].high


def artifact(side):
    """A file that takes pictures of SIDE pixels alone; None: of any size."""
    details = {} if side is None else {"fixed_size": [side, side]}
    return SimpleNamespace(format="tflite", details=details)


def test_a_file_of_one_size_is_judged_on_pictures_no_larger(monkeypatch, records):
    asked = []

    def judged(model, source, truth, evaluate, on_progress=None):
        asked.append((model, evaluate.protocol, evaluate.score_threshold))
        return Validation(
            source=source, truth=truth, reference=records[1], evaluate=evaluate, model=model
        )

    monkeypatch.setattr("experiments.exporting.accuracy_loss.validation", judged)
    own = Validation(
        source="pictures",
        truth="truth",
        reference=records[0],
        evaluate=EvaluateConfig(score_threshold=0.1),
        dataset="widerface",
        model="network",
    )
    assert own.fitting(artifact(None)) is own
    fitting = own.fitting(artifact(640))
    assert (fitting.evaluate.protocol, fitting.reference) == ("vga", records[1])
    assert fitting.dataset == "widerface"
    assert own.fitting(artifact(1024)) is fitting, "the network looks once"
    assert asked == [("network", "vga", 0.1)]
    assert fitting.fitting(artifact(640)) is fitting
    with pytest.raises(UnavailableError, match="takes 320 pixels a side") as refused:
        own.fitting(artifact(320))
    assert refused.value.hint == "write it for larger ones: --image-size 640"


def test_a_file_that_does_better_loses_less_than_nothing(records):
    every, fewer = records
    assert losses(fewer, every)["hard"].loss == -losses(every, fewer)["hard"].loss < 0
