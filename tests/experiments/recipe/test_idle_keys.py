"""No key of a recipe is taken without effect: something reads it, or it is refused."""

from __future__ import annotations

import json
from operator import attrgetter

import pytest

from experiments import schema
from experiments.recipe.current import current_recipe
from experiments.recipe.idle_keys import NEEDS, usual_value
from experiments.recipe.model import DETECTOR_KEYS, Recipe, ResolvedRecipe
from experiments.recipe.resolve import packaged, recipes, resolve
from experiments.workspace.workspace import Workspace
from experiments.yaml_io import parse_value, write_yaml
from featherface.errors import UsageError
from featherface.losses import config as losses
from featherface.training.config.distill import WEIGHTS

READ_BY_ALL = {
    "model": ("variant", "weights"),
    "data": (
        *("root", "train_split", "val_split", "ground_truth", "labels"),
        *("train_limit", "allow_missing", "allow_overlap"),
    ),
    "train": (
        *("epochs", "batch_size", "image_size", "optimizer", "lr", "weight_decay", "schedule"),
        *("warmup", "clip", "accumulate", "ema", "amp", "channels_last", "deterministic"),
        *("workers", "cache", "keep_memory", "views", "augmentations", "progressive"),
        "multi_scale",
        *("curriculum", "frozen_backbone", "box_weight", "landmark_weight", "evaluate_every"),
        *("log_every", "device", "seed"),
        *("loss.assignment", "loss.face", "loss.box", "loss.landmark"),
        *("loss.hard_weight", "loss.small_weight"),
    ),
    "distill": ("teacher", "teacher_variant", "teacher_weights"),
    "evaluate": ("protocol", "decision", "predictions"),
    "benchmark": (
        *("image_size", "batch_size", "runs", "warmup", "threads", "device", "precision"),
        *("beside", "sizes", "batches", "engines", "end_to_end", "exports"),
    ),
    "export": ("formats",),
}
"""Keys that every recipe reads in which the stage of their section runs."""
REFUSED_BY_SECTION = ("distill.teachers", "distill.teacher_shares", "distill.learn_shares")
"""Keys that their section refuses wherever they stand without a teacher."""

NO_TEACHER = ("distill.teacher=null",)
IMPORTED = ("evaluate.predictions=p",)
PHASES = "distill.phases=[{until: 1, %s: 0.25}]"
CASES = {
    "model.backbone_weights": ("b.pth", ("model.weights=w.pth",)),
    "data.name": ("mine", ("data.root=synthetic",)),
    "data.val_limit": (3, IMPORTED),
    "data.synthetic.image_size": (96, ()),
    "data.synthetic.train_images": (9, ()),
    "data.synthetic.val_images": (9, ()),
    "data.synthetic.smallest_face": (9, ()),
    "data.synthetic.largest_face": (90, ()),
    "data.synthetic.crowd": (3, ()),
    "data.synthetic.seed": (3, ()),
    "train.momentum": (0.8, ()),
    "train.steps_at": ([0.5], ()),
    "train.crop_scales": ([0.5], ("train.augmentations=[zoom-crop]",)),
    "train.zoom_scales": ([0.5], ()),
    "train.overlap": (0.5, ("train.loss.assignment=atss",)),
    "train.negatives": (3, ("train.loss.face=focal", *NO_TEACHER)),
    "train.patience": (3, ()),
    "distill.temperature": (4.0, NO_TEACHER),
    "distill.alpha": (0.7, NO_TEACHER),
    "distill.soft_weight": (2.0, NO_TEACHER),
    "distill.box_weight": (3.0, NO_TEACHER),
    "distill.landmark_weight": (3.0, NO_TEACHER),
    "distill.feature_weight": (1.0, NO_TEACHER),
    "distill.attention_weight": (1.0, NO_TEACHER),
    "distill.cross_scale_weight": (1.0, NO_TEACHER),
    "distill.self_weight": (1.0, (PHASES % "self_weight",)),
    "distill.temporal_weight": (1.0, (PHASES % "temporal_weight",)),
    "distill.confidence": (0.3, NO_TEACHER),
    "distill.init_backbone": (False, NO_TEACHER),
    "distill.teacher_engine": ("onnxruntime", NO_TEACHER),
    "distill.self_decay": (0.9, ()),
    "distill.temporal_decay": (0.9, ()),
    "distill.cache": (False, NO_TEACHER),
    "distill.cache_gb": (3.0, ()),
    "distill.phases": ([{"until": 1, "alpha": 0.25}], NO_TEACHER),
    "evaluate.flip": (True, IMPORTED),
    "evaluate.voting": (True, IMPORTED),
    "evaluate.score_threshold": (0.1, IMPORTED),
    "evaluate.nms_threshold": (0.5, IMPORTED),
    "evaluate.max_detections": (9, IMPORTED),
    "evaluate.max_megapixels": (9.0, IMPORTED),
    "evaluate.batch_size": (2, IMPORTED),
    "evaluate.precision": ("bf16", IMPORTED),
    "evaluate.engine": ("onnxruntime", IMPORTED),
    "evaluate.predictions_by": ("me", ()),
    "export.opset": (19, ("export.formats=[]",)),
    "export.parity_sizes": ([[64, 64]], ("export.formats=[]",)),
    "export.parity_batches": ([3], ("export.formats=[]",)),
    "export.tolerance": (1e-3, ("export.formats=[]",)),
    "export.validate": (False, ()),
    "export.calibrate": ("pictures", ()),
    "export.image_size": (320, ("export.formats=[]",)),
}
"""Key -> another value than its default, and what of v2 to change so that nothing reads it."""


@pytest.fixture
def workspace(tmp_path):
    return Workspace.create(tmp_path / "space")


def write(workspace, name, overrides, extends="v2"):
    """Write the recipe NAME that says what OVERRIDES do."""
    content = {"extends": extends}
    for override in overrides:
        key, _, value = override.partition("=")
        *path, last = key.split(".")
        inner = content
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = parse_value(value)
    text = write_yaml(content)
    (workspace.recipes / f"{name}.yaml").write_text(text, encoding="utf-8")


def said(key):
    value, without = CASES[key]
    return f"{key}={json.dumps(value)}", without


def refusal(overrides, name="v2", workspace=None):
    with pytest.raises(UsageError) as caught:
        resolve(name, workspace, overrides)
    return caught.value


def test_every_key_is_known_to_be_read_always_or_under_what():
    stated = {f"{section}.{key}" for section, keys in READ_BY_ALL.items() for key in keys}
    network = {f"{at}.{key}" for at in ("model", "distill.teacher_model") for key in DETECTOR_KEYS}
    by_loss = {f"train.loss.{key}" for key in losses.READERS}
    sections = {key for key in schema.keys(Recipe) if "." in key} - network - by_loss
    assert sections - stated - set(REFUSED_BY_SECTION) == set(NEEDS)
    assert not stated & set(NEEDS)
    assert set(CASES) == set(NEEDS)


@pytest.mark.parametrize("key", NEEDS)
def test_a_key_that_nothing_reads_is_refused_with_what_would_read_it(key, workspace):
    setting, without = said(key)
    error = refusal([*without, setting])
    assert error.message.startswith(f"--set: {key} is ")
    assert ", but " in error.message
    assert error.message.endswith("nothing reads it")
    assert error.hint.startswith(f"set {key}=")
    write(workspace, "mine", [*without, setting])
    assert refusal([], "mine", workspace).message.startswith(f"experiments/mine.yaml: {key} is ")


@pytest.mark.parametrize("key", NEEDS)
def test_what_the_refusal_suggests_is_taken(key):
    setting, without = said(key)
    back, other = refusal([*without, setting]).hint.removeprefix("set ").split(", or ")
    assert attrgetter(key)(resolve("v2", None, [*without, back]).recipe) == usual_value(key)
    shared = [text for text in without if text.partition("=")[0] != other.partition("=")[0]]
    resolve("v2", None, [*shared, other, setting])


@pytest.mark.parametrize("key", NEEDS)
def test_what_a_base_says_of_its_own_runs_is_inherited_in_silence(key, workspace):
    setting, without = said(key)
    write(workspace, "base", [setting])
    write(workspace, "mine", without, extends="base")
    inherited = resolve("mine", workspace).recipe
    assert attrgetter(key)(inherited) != usual_value(key)


def test_the_teacher_can_be_switched_off_for_one_run(workspace):
    write(workspace, "mine", ["distill.temperature=4.0", "distill.alpha=0.7"])
    assert not resolve("mine", workspace, NO_TEACHER).recipe.distill.taught
    again = [*NO_TEACHER, "distill.alpha=0.9"]
    assert "distill.alpha is 0.9" in refusal(again, "mine", workspace).message


def test_a_default_said_aloud_is_no_fault():
    for key in NEEDS:
        _, without = said(key)
        usual = json.dumps(schema.plain(usual_value(key)))
        resolve("v2", None, [*without, f"{key}={usual}"])


def test_momentum_with_adamw_names_the_optimizer_that_has_one():
    error = refusal(["train.momentum=0.8"])
    assert (error.message, error.hint) == (
        "--set: train.momentum is 0.8, but train.optimizer is adamw: nothing reads it",
        "set train.momentum=0.9, or train.optimizer=sgd",
    )
    resolve("v2", None, ["train.momentum=0.8", "train.optimizer=sgd"])


@pytest.mark.parametrize("key", ["temperature", "alpha", *WEIGHTS])
def test_a_value_that_every_phase_replaces_is_refused(key):
    phases = PHASES % key
    error = refusal([phases, f"distill.{key}=0.75", "train.views=2"])
    assert f"distill.{key} is 0.75, but distill.phases is […]" in error.message
    resolve("v2", None, ["distill.phases=[{until: 1}]", f"distill.{key}=0.75", "train.views=2"])


def test_every_packaged_recipe_is_taken():
    for name in packaged():
        if recipes()[name].path.read_text(encoding="utf-8").find("variant:") >= 0:
            resolve(name)


def test_records_of_before_the_rule_stay_readable_and_current(workspace):
    old = resolve("v2", workspace, ["train.momentum=0.8"], with_idle=True)
    assert ResolvedRecipe.from_yaml(old.to_yaml()) == old
    assert current_recipe(workspace, "v2", ["train.momentum=0.8"]).digest == old.recipe.digest
