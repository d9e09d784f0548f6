"""Recall by the height of faces stands where a hypothesis speaks of small ones."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.recipe.resolve import resolve
from experiments.running import runner
from experiments.workspace.workspace import Workspace
from featherface.data.config import SyntheticConfig
from featherface.data.statistics import HEIGHT_EDGES
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.evaluation.predictions import write_prediction
from vault_sync.commands.sync import sync
from vault_sync.reports.face_heights import speaks_of_small_faces


@pytest.fixture(scope="module")
def small_set(tmp_path_factory):
    """Draw a few pictures with faces of several heights."""
    root = tmp_path_factory.mktemp("drawn") / "set"
    sizes = {"smallest_face": 12, "largest_face": 70, "crowd": 4}
    draw(root, SyntheticConfig(image_size=128, train_images=1, val_images=6, **sizes))
    return root


@pytest.fixture(scope="module")
def judged(tmp_path_factory, small_set):
    """Return a vault with a run of v2 that finds all but the first face of each picture."""
    folder = tmp_path_factory.mktemp("seen")
    for image in open_split(small_set, "val").images:
        boxes = np.hstack([image.boxes[:, :2], image.boxes[:, 2:] - image.boxes[:, :2]])
        table = [(*box, 0.9) for box in np.rint(boxes)[1:]]
        write_prediction(folder, image.path, np.array(table, dtype=float).reshape(-1, 5))
    workspace = Workspace.create(tmp_path_factory.mktemp("heights"), language="fr")
    workspace.vault.mkdir()
    paths = {"data.root": small_set, "data.ground_truth": small_set, "evaluate.predictions": folder}
    values = [f"{key}={path.as_posix()}" for key, path in paths.items()]
    runner.run(workspace, resolve("v2", workspace, values), stages=("evaluate",))
    assert sync(workspace).refused == []
    return workspace


def expected(small_set):
    """Count the faces of each height, and those that are not the first of their picture."""
    rows = {}
    for image in open_split(small_set, "val").images:
        for place, (top, bottom) in enumerate(image.boxes[:, 1::2].round()):
            low = max(edge for edge in HEIGHT_EDGES if edge <= bottom - top)
            faces, found = rows.get(low, (0, 0))
            rows[low] = (faces + 1, found + (place > 0))
    return rows


@pytest.mark.parametrize(
    "path", ["03-Methodology/Architectural-Innovations.md", "05-Results/Runs/v2@1.md"]
)
def test_a_hypothesis_on_small_faces_has_their_recall(judged, small_set, path):
    text = (judged.vault / path).read_text(encoding="utf-8")
    assert "score atteint 0,5 (sous-ensemble Hard)" in text
    table = text.partition("Rappel selon la hauteur des visages")[2]
    rows = re.findall(r"^\| (\d+)[^|]*\| +(\d+) \| +([\d,]+)", table.split("^tbl")[0], re.MULTILINE)
    counted = {int(low): (int(faces), float(share.replace(",", "."))) for low, faces, share in rows}
    assert counted == {
        low: (faces, pytest.approx(100 * found / faces, abs=0.051))
        for low, (faces, found) in sorted(expected(small_set).items())
    }
    assert len(counted) > 1


def test_what_does_not_speak_of_them_has_no_such_table(tmp_path, make_run, quick_plots):
    workspace = Workspace.create(tmp_path, language="en")
    workspace.vault.mkdir()
    make_run(workspace, "v2", variant="v2", plots=False)
    make_run(workspace, "v2", variant="v2", plots=False, hypothesis="It finds small faces.")
    report = sync(workspace)
    assert report.refused == []  # its detections can't be judged again: nothing is shown
    text = "".join(path.read_text(encoding="utf-8") for path in workspace.vault.rglob("*.md"))
    assert "Recall by the height" not in text


@pytest.mark.parametrize(
    ("hypothesis", "tags", "speaks"),
    [
        ("A student keeps its accuracy on small faces.", (), True),
        ("Smaller priors find the tiniest faces.", (), True),
        ("Il garde son exactitude sur les petits visages.", (), True),
        ("Il trouve des visages plus petits.", (), True),
        ("A smaller student keeps its accuracy.", (), False),
        ("Un petit réseau trouve les visages.", (), False),
        ("", ("small-faces",), True),
        ("", ("baseline",), False),
    ],
)
def test_what_speaks_of_small_faces(hypothesis, tags, speaks):
    assert speaks_of_small_faces(SimpleNamespace(hypothesis=hypothesis, tags=tags)) is speaks
