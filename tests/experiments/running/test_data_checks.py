"""Data that would make a number mean something else: missing, shared, of another set."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from experiments.claims import checking
from experiments.metrics import Metric
from experiments.recipe.resolve import resolve
from experiments.records.record import Parent
from experiments.records.seal import seal, sha256
from experiments.records.store import Store
from experiments.running import data_checks, inputs, preflight, runner
from experiments.running.stage_context import StageContext, StageResult
from experiments.workspace.milestones import Milestone
from featherface.data.annotation import MISSING
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import MARKER, open_split
from featherface.errors import DataError, UsageError
from featherface.evaluation import known_sets
from featherface.evaluation.ground_truth import read_ground_truth
from featherface.evaluation.predictions import write_prediction


@pytest.fixture
def own(tmp_path):
    """A set of one's own: in the official layout, with nothing that says who drew it."""
    root = tmp_path / "portraits"
    draw(root, SyntheticConfig(image_size=96, train_images=6, val_images=5, crowd=2))
    (root / MARKER).unlink()
    return root


@pytest.fixture
def context(workspace, own, tmp_path):
    """What a stage is given; CHANGES go to the recipe."""

    def make(*changes):
        values = [f"data.root={own.as_posix()}", *changes]
        folder = tmp_path / "record"
        folder.mkdir(exist_ok=True)
        recipe = resolve("v2", workspace, values).recipe
        return StageContext(workspace=workspace, recipe=recipe, folder=folder, run="v2@1")

    return make


def splits(own):
    return open_split(own, "train"), open_split(own, "val")


def share_a_picture(own, *, quality=None):
    """Put a validation picture under a training picture's name; recompressed with QUALITY."""
    train, val = splits(own)
    source, target = val.path(val.images[0]), train.path(train.images[0])
    if quality is None:
        shutil.copy(source, target)
    else:
        Image.open(source).save(target, quality=quality)


def test_training_on_the_split_that_is_reported_is_refused(workspace, context):
    given = context("data.train_split=val").recipe
    with pytest.raises(UsageError, match=r"data\.train_split is 'val'") as caught:
        preflight.check(Store(workspace), given, ("train", "evaluate"))
    assert "data.allow_overlap=true" in caught.value.hint


def test_validation_pictures_under_other_names_are_not_trained_on(own, context):
    share_a_picture(own)
    with pytest.raises(UsageError, match="1 of 5 pictures of 'val' are trained on"):
        data_checks.keep_apart(context(), *splits(own))


def test_where_it_is_allowed_it_is_loud_and_in_the_record(own, context):
    share_a_picture(own)
    given = context("data.allow_overlap=true")
    (warning,) = data_checks.keep_apart(given, *splits(own))
    assert "no evidence for a claim" in warning
    assert given.data["train"]["overlap"] == 1
    assert data_checks.trained_on_val(given, [])


def test_weights_that_were_trained_on_the_split_are_followed_to_their_run(
    workspace, own, context, make_run
):
    share_a_picture(own)
    training = context("data.allow_overlap=true")
    for split in splits(own):
        training.record_data(split.name, split)
    data_checks.keep_apart(training, *splits(own))
    run = make_run(workspace, "v2")
    (run.folder / "checkpoints").mkdir()
    weights = run.folder / "checkpoints" / "best.safetensors"
    weights.write_bytes(b"weights")
    shutil.copy(training.folder / "data.json", run.folder / "data.json")
    seal(run.folder)
    (training.folder / "data.json").unlink()
    evaluation = context()
    evaluation.record_data("val", splits(own)[1])
    for parent in (
        Parent(role="weights", run=run.id),
        Parent(role="weights", path="best.safetensors", sha256=sha256(weights)),
    ):
        assert data_checks.trained_on_val(evaluation, [parent])
    assert not data_checks.trained_on_val(evaluation, [Parent(role="weights", sha256="0" * 64)])


def test_what_was_measured_on_training_pictures_meets_no_claim(workspace, make_run):
    metric = Metric(
        name="widerface.hard.ap", value=0.9, unit="fraction", dataset="synthetic", split="val",
        n=5, marks=("overlap",),
    )  # fmt: skip
    make_run(workspace, "v2", metrics=[metric])
    claim = Milestone(name="high", predicate="v2@1 widerface.hard.ap > 0.5", dataset="synthetic")
    outcome = checking.check_milestone(Store(workspace), claim)
    assert outcome.state == "not_measurable"
    assert "pictures that it was trained on" in outcome.reason()


def test_near_duplicates_are_looked_for_once_and_told(own, context, monkeypatch):
    share_a_picture(own, quality=60)
    looked = []
    search = data_checks.find_pairs
    monkeypatch.setattr(
        data_checks, "find_pairs", lambda *given: looked.append(1) or search(*given)
    )
    given = context()
    for _ in range(2):
        (warning,) = data_checks.keep_apart(given, *splits(own))
        assert "look like one of 'val'" in warning
        assert given.data["train"]["near_duplicates"] == 1
    assert len(looked) == 1


def missing_from(split, count, whole):
    annotations = dataclasses.replace(split.annotations, skipped=Counter({MISSING: count}))
    return dataclasses.replace(split, annotations=annotations, whole=whole - count)


def test_an_unfinished_unzip_is_refused_and_names_the_key(own):
    train, _ = splits(own)
    for image in train.images[2:]:
        train.path(image).unlink()
    there = open_split(own, "train")
    with pytest.raises(DataError, match="4 of 6 pictures of split 'train' are missing") as caught:
        data_checks.missing_pictures(there, 0.01)
    assert "--set data.allow_missing=0.67" in caught.value.hint
    assert "4 of 6 pictures" in data_checks.missing_pictures(there, 0.67)


@pytest.mark.parametrize(("missing", "whole"), [(1, 240), (2, 240)])
def test_a_missing_picture_in_a_hundred_is_a_warning(own, missing, whole):
    split = missing_from(open_split(own, "val"), missing, whole)
    assert f"{missing} of {whole} pictures" in data_checks.missing_pictures(split, 0.01)
    with pytest.raises(DataError):
        data_checks.missing_pictures(missing_from(split, 3, 240), 0.01)


def test_a_limit_is_not_taken_for_missing_pictures(own):
    split = open_split(own, "val")
    assert data_checks.missing_pictures(split.limit(1), 0) == ""
    assert split.limit(3).limit(1).whole == 5


def test_a_set_of_ones_own_is_never_called_widerface(own, context):
    truth = read_ground_truth(own)
    names = {
        (): "portraits",
        ("data.name=mine",): "mine",
    }
    for changes, name in names.items():
        assert data_checks.dataset_name(context(*changes).recipe, own, truth) == name
    twin = own.rename(own.parent / "widerface")
    recipe = context().recipe
    recipe = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, root=str(twin)))
    assert data_checks.dataset_name(recipe, twin, truth) == "own widerface"
    with pytest.raises(UsageError, match="found out from the annotation"):
        context("data.name=WiderFace")


def test_widerface_is_known_by_names_and_boxes_whatever_its_folder(own, context, monkeypatch):
    truth = read_ground_truth(own)
    entries = [known_sets.entry(*each) for each in zip(truth.images, truth.boxes, strict=True)]
    monkeypatch.setattr(known_sets, "_official", lambda: frozenset(entries))
    assert data_checks.dataset_name(context().recipe, own, truth) == "widerface"
    assert known_sets.is_widerface_val(truth.restrict(truth.images[:2]))
    moved = dataclasses.replace(truth, boxes=tuple(boxes + 1 for boxes in truth.boxes))
    assert not known_sets.is_widerface_val(moved)
    renamed = dataclasses.replace(truth, images=tuple(f"{name}b" for name in truth.images))
    assert not known_sets.is_widerface_val(renamed)
    mixed = dataclasses.replace(truth, images=(*truth.images[:-1], "mine/1"))
    assert not known_sets.is_widerface_val(mixed)


@pytest.mark.data
def test_the_official_annotation_and_its_real_part_are_known(reference_data):
    faces = reference_data / "widerface"
    known = {
        "ground_truth": True,
        "wider_face_val_bbx_gt.txt": True,
        "val34": True,
        "stretched416": False,
    }
    told = {name: known_sets.is_widerface_val(read_ground_truth(faces / name)) for name in known}
    assert told == known


def test_the_shipped_digests_are_those_of_3226_pictures():
    content = known_sets.DIGESTS.read_bytes()
    step = known_sets.LENGTH
    assert len({content[at : at + step] for at in range(0, len(content), step)}) == 3226


def test_empty_predictions_are_told_in_the_terminal_and_in_the_record(workspace, own):
    for image in open_split(own, "val").images:
        write_prediction(own.parent / "empty", image.path, np.zeros((0, 5)))
    values = {"data.root": own, "evaluate.predictions": own.parent / "empty"}
    overrides = [f"{key}={path.as_posix()}" for key, path in values.items()]
    said = []
    run = runner.run(
        workspace, resolve("v2", workspace, overrides), stages=("evaluate",), on_message=said.append
    )
    for texts in (said, run.record.warnings):
        assert any("no detection in any picture" in text for text in texts)
    assert run.dataset == "portraits"


def test_a_warning_is_said_once(context):
    said, result = [], StageResult()
    given = dataclasses.replace(context(), on_message=said.append)
    given.warn(result, ["a", "", "a"])
    assert (result.warnings, said) == (["a"], ["warning: a"])


def test_the_ground_truth_of_given_predictions_names_the_set(own, context):
    assert inputs.is_synthetic(own) is False
    assert data_checks.own_name(context().recipe, own) == "portraits"
